"""What all REST handlers share: authorisation, JSON bodies, and the one table that maps errors to HTTP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http.client import responses
from typing import TYPE_CHECKING, Any

from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado import web

from hpcdask_ext import errors

if TYPE_CHECKING:
    from hpcdask_ext.control.manager import ClusterManager
    from hpcdask_ext.handlers.core import Core

AUTH_RESOURCE = "hpcdask"

STATUS: dict[type[errors.HPCDaskError], tuple[int, str]] = {
    errors.InvalidRequest: (422, "invalid"),
    errors.SiteNotFound: (404, "not found"),
    errors.ClusterNotFound: (404, "not found"),
    errors.WrongState: (409, "wrong state"),
    errors.EnvironmentUnusable: (422, "environment"),
    errors.SchedulerUnreachable: (504, "unreachable"),
    errors.CommandTimeout: (504, "unreachable"),
    errors.BatchError: (502, "batch system"),
    errors.HPCDaskError: (500, "error"),
}
"""Status and reason by class; a class that is not listed has those of its nearest listed base."""


def status_of(error: errors.HPCDaskError) -> tuple[int, str]:
    """Return the HTTP status of an error of ours, and its reason in a word or two."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


class QuietErrors(JupyterHandler):
    """Logs an error of ours as a single line: it is an answer, not a fault of the server."""

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log an exception that ended a request."""
        if isinstance(value, errors.HPCDaskError):
            self.log.info("%s %s: %s", self.request.method, self.request.path, value.message)
        else:
            super().log_exception(typ, value, tb)


class HPCDaskHandler(QuietErrors, APIHandler):
    """The base of the REST handlers. None of them catches errors: `write_error` turns each into its answer."""

    auth_resource = AUTH_RESOURCE

    @property
    def core(self) -> Core:
        """What the handlers work with."""
        core: Core = self.settings["hpcdask_core"]
        return core

    async def manager(self) -> ClusterManager:
        """Return the manager; the first call creates and starts it."""
        return await self.core.manager()

    def json_object(self) -> dict[str, Any]:
        """Return the body, or answer 400 if it is not a JSON object."""
        try:
            body = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError) as error:
            raise web.HTTPError(400, f"The body is not JSON: {error}", reason="Bad Request") from error
        if not isinstance(body, dict):
            raise web.HTTPError(400, "The body is not a JSON object.", reason="Bad Request")
        return body

    def summary(self, fields: Sequence[errors.FieldError]) -> str:
        """Return what is said about one or several wrong fields, which are listed beside it."""
        return f"{len(fields)} fields are wrong" if len(fields) > 1 else fields[0].message

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error of ours with its status, its message and, if it has any, its fields."""
        error = kwargs.get("exc_info", (None, None))[1]
        message, reason = responses.get(status_code, "Error"), "error"
        fields: Sequence[errors.FieldError] = ()
        if isinstance(error, errors.HPCDaskError):
            status, reason = status_of(error)
            self.set_status(status)
            fields = error.errors if isinstance(error, errors.InvalidRequest) else ()
            message = error.message
            if fields:
                message = self.summary(fields)
        elif isinstance(error, web.HTTPError):
            message, reason = error.log_message or message, error.reason or message
        listed = [{"field": field.field, "message": field.message} for field in fields]
        self.finish({"message": message, "reason": reason, "errors": listed})

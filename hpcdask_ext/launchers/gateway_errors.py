"""From what the client of a Dask Gateway raises to errors of ours, which say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hpcdask_ext.errors import BatchError, BatchRefused, BatchUnreachable, NotStarted
from hpcdask_ext.sites.gateway import GatewaySite

_REMEDIES: Mapping[str, str] = {
    "basic": "check the user name and the password in gateway.yaml, or in the site file",
    "jupyterhub": "the token of the hub is missing or has expired: restart your server from the hub",
    "kerberos": "get a new ticket with kinit",
}
_MOST = 500  # characters of a gateway's words


def not_installed(error: ImportError) -> NotStarted:
    """Return the error if the client cannot be imported."""
    return NotStarted(
        f"Sites of the kind “gateway” need the package dask-gateway where JupyterLab runs ({error}): "
        "install it there with “pip install 'hpcdask-ext[gateway]'”, then restart Jupyter."
    )


def login_refused(site: GatewaySite, error: Exception) -> BatchRefused:
    """Return the error if no client could be made: an address, a variable or what the login needs is missing."""
    if isinstance(error, KeyError):
        why = f"the environment variable {error} is not set"
    elif "address" in str(error):
        why = "neither the site file nor your gateway.yaml says its address"
    else:
        why = f"{type(error).__name__}: {error}"
    return BatchRefused(f"The gateway of “{site.label}” cannot be asked: {why}. {_remedy(site)}")


def translated(error: Exception, address: str, site: GatewaySite) -> BatchError:
    """Return the error for one that the client raised while it asked the gateway at `address`."""
    import aiohttp  # noqa: PLC0415  (100 ms)

    if isinstance(error, aiohttp.ClientConnectorError):
        return NotStarted(f"The gateway at {address} cannot be reached: {error.strerror or error.os_error}.")
    if isinstance(error, aiohttp.ContentTypeError):
        return BatchUnreachable(f"Something other than a Dask Gateway answers at {address}: check the address.")
    if isinstance(error, aiohttp.ClientResponseError):
        return _of_status(error.status, error.message, address, site)
    if type(error).__name__ == "GatewayServerError" or isinstance(error, (aiohttp.ClientError, OSError)):
        return BatchUnreachable(f"The gateway at {address} failed: {_quoted(error)}.")
    if type(error).__name__ == "GatewayClusterError" or isinstance(error, (ValueError, TypeError, KeyError)):
        return _of_words(_quoted(error), address)
    # Whatever is raised by what logs in, such as the library for Kerberos.
    return BatchRefused(f"Logging in to the gateway at {address} failed ({_quoted(error)}). {_remedy(site)}")


def _of_status(status: int, words: str, address: str, site: GatewaySite) -> BatchError:
    if status in (401, 403):
        return BatchRefused(f"The gateway at {address} did not accept the login ({status} {words}). {_remedy(site)}")
    if status >= 500:
        return BatchUnreachable(f"The gateway at {address} failed ({status} {words}).")
    return BatchRefused(f"The gateway at {address} refused ({status} {words}).")


def _of_words(words: str, address: str) -> BatchError:
    if re.match(r"\s*<|404", words):  # a page: a gateway itself answers with JSON
        return BatchUnreachable(f"Something other than a Dask Gateway answers at {address}: check the address.")
    return BatchRefused(f"The gateway refused: {words}.")


def _quoted(error: Exception) -> str:
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    return " ".join(str(text).split())[:_MOST].rstrip(".") or type(error).__name__


def _remedy(site: GatewaySite) -> str:
    """Return what to do about a login; of an own class, or one from the user's configuration, only the user knows."""
    known = _REMEDIES.get(site.auth.type) if site.auth else None
    text = known or "check “gateway.address” and “gateway.auth” in gateway.yaml"
    return f"{text[0].upper()}{text[1:]}, then restart Jupyter." if "yaml" in text else f"{text[0].upper()}{text[1:]}."

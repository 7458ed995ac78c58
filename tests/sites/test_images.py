"""The container images that a site lets its users choose, and those that nobody can."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hpcdask_ext.clusters.image_field import ImageField
from hpcdask_ext.clusters.models import Environment
from hpcdask_ext.sites.environment import with_image

PANGEO = Environment(
    name="pangeo",
    argv=("shifter", "--image={image}", "python"),
    env={"IMAGE": "docker:{image}", "BRACES": "{x}"},
    image=ImageField(default="pangeo/pangeo-notebook:2026.08.01"),
)
DIGEST = "sha256:" + "0" * 64


def test_the_site_s_image_is_filled_in_wherever_it_is_named() -> None:
    filled = with_image(PANGEO, None)
    assert filled.argv == ("shifter", "--image=pangeo/pangeo-notebook:2026.08.01", "python")
    assert filled.env == {"IMAGE": "docker:pangeo/pangeo-notebook:2026.08.01", "BRACES": "{x}"}
    assert Environment.model_validate_json(filled.model_dump_json()) == filled


@pytest.mark.parametrize(
    "image",
    [
        "ubuntu",
        "geo:latest",
        "localhost:5000/a/b_c-d:1.2.3-rc1",
        f"registry.nersc.gov/das/geo@{DIGEST}",
        "docker://a/b",
    ],
)
def test_what_registries_call_images_can_be_chosen(image: str) -> None:
    assert with_image(PANGEO, image).argv[1] == f"--image={image}"


HOSTILE = [
    "", " ", "-v/:/host", "--privileged", "a b", "a\tb", "a\nb", "a\x00b", "a;rm -rf ~", "$(id)", "`id`",
    "${HOME}", "a|b", "a&b",
    "a>b", "'", '"', "a\\b", "{image}", "a{image}", "~/x", "*", "a?b", "é", "a\u202eb", "!x",
    "#x", "a" * 10 + "\n",
]  # fmt: skip


@pytest.mark.parametrize(
    "field", [PANGEO.image, ImageField(pattern=".*"), ImageField(choices=("a",), pattern="(?s).*")]
)
@pytest.mark.parametrize("image", HOSTILE)
def test_what_a_program_or_a_shell_could_misread_is_refused_whatever_the_site_allows(
    field: ImageField, image: str
) -> None:
    with pytest.raises(ValueError, match="does not match the pattern") as caught:
        with_image(PANGEO.model_copy(update={"image": field}), image)
    assert repr(image) in str(caught.value)


def test_a_site_may_allow_less_or_more_or_only_its_choices() -> None:
    ours = PANGEO.model_copy(update={"image": ImageField(pattern=r"centre\.org/[a-z/]+:\d+")})
    assert with_image(ours, "centre.org/geo:7").argv[1] == "--image=centre.org/geo:7"
    for image in ("centre.org/geo:7x", "evil.org/centre.org/geo:7"):
        with pytest.raises(ValueError, match=r"does not match the pattern centre"):
            with_image(ours, image)
    files = PANGEO.model_copy(update={"image": ImageField(pattern=r"/images/[a-z,]+\.sif", choices=("ubuntu:24.04",))})
    assert with_image(files, None).argv[1] == "--image=ubuntu:24.04"
    assert with_image(files, "/images/a,b.sif").argv[1] == "--image=/images/a,b.sif"
    few = PANGEO.model_copy(update={"image": ImageField(choices=("a:1", "b:1"))})
    assert with_image(few, "b:1").argv[1] == "--image=b:1"
    with pytest.raises(ValueError, match="'c:1' is not one of a:1, b:1"):
        with_image(few, "c:1")


def test_an_image_that_must_be_chosen_and_one_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="pangeo needs an image"):
        with_image(PANGEO.model_copy(update={"image": ImageField()}), None)
    plain = Environment(name="plain", argv=("python",))
    assert with_image(plain, None) is plain
    with pytest.raises(ValueError, match="plain has no image to choose; found 'a:1'"):
        with_image(plain, "a:1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"argv": ["python"]}, "must have 'image' if"),
        ({"image": None}, "must have 'image' if"),
        ({"image": {"default": "-x"}}, "the image's own default is not allowed: '-x' does not match"),
        ({"image": {"choices": ["a", "b c"]}}, "the image's own choice is not allowed: 'b c' does not match"),
        ({"image": {"default": "c", "choices": ["a"]}}, "'c' is not one of a"),
        ({"image": {"pattern": "["}}, "not a valid regular expression"),
        ({"image": {"size": 5}}, "Extra inputs"),
        ({"probe": "node"}, "'host' or 'job'"),
    ],
)
def test_a_site_s_mistake_in_an_environment_is_named(changes: dict[str, Any], message: str) -> None:
    values = {"name": "e", "argv": ["shifter", "--image={image}", "python"], "image": {}}
    with pytest.raises(ValidationError, match=message.replace("[", r"\[")):
        Environment.model_validate(values | changes)

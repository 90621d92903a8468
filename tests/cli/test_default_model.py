"""EDGEVLO_MODEL names the model that is used where none is given."""

from pathlib import Path

import pytest
from command_line import Run, fails, files
from PIL import Image

import edgevlo

pytestmark = pytest.mark.usefixtures("embedded_is_open")  # for `doctor`, which paints with it


def test_the_model_may_be_named_by_the_environment(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEVLO_MODEL", "toy")

    assert edgevlo_run("paint", "a red car", "--seed", "7").code == 0
    with Image.open(Path("out.png")) as picture:
        assert picture.size == (20, 16)
    assert "toy is whole" in edgevlo_run("verify").out
    assert "(toy, target cpu)" not in edgevlo_run("show", "picturebook").out, "a given name wins"
    assert edgevlo.load().manifest.name == "toy"
    assert "/bundles/toy ($EDGEVLO_MODEL)" in edgevlo_run("doctor").out
    assert files() == ["out.png"]


def test_a_model_that_the_environment_names_in_vain_says_so(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEVLO_MODEL", "none")

    fails(edgevlo_run("paint", "a red car"), "there is no bundle 'none', which EDGEVLO_MODEL names: no such folder")
    doctor = edgevlo_run("doctor")
    assert doctor.code == 0, "the embedded model works"
    assert "none ($EDGEVLO_MODEL): there is no bundle 'none'" in doctor.out


def test_without_a_name_the_embedded_model_is_used(edgevlo_run: Run) -> None:
    assert "picturebook (embedded; $EDGEVLO_MODEL names another)" in edgevlo_run("doctor").out

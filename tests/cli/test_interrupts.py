"""How a command ends early: interrupted, out of memory, or with a bug of ours."""

import signal

import pytest
from command_line import Run, fails, files

from edgevlo.runtime.arrays import Codes, Pixels
from edgevlo.runtime.engine import Engine
from edgevlo.signals import Ended


def test_what_does_not_fit_into_memory_is_one_line_and_no_file(
    edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGEVLO_IGNORE_MEMORY", raising=False)
    monkeypatch.setattr("edgevlo.runtime.memory.refuse.available_bytes", lambda: 0)

    fails(edgevlo_run("paint", "a car", "-m", "toy"), "toy needs .* to be opened, and 0.0 MB are available")
    monkeypatch.setattr("edgevlo.runtime.memory.refuse.available_bytes", lambda: 200_000)
    fails(edgevlo_run("paint", "a car", "-m", "toy"), "for this request.*EDGEVLO_IGNORE_MEMORY=1")
    assert files() == []

    monkeypatch.setattr("edgevlo.runtime.memory.refuse.available_bytes", lambda: 0)
    with monkeypatch.context() as patch:
        patch.setattr("edgevlo.runtime.bundle.trial.try_out", lambda *_: None)  # its process has memory of its own
        assert edgevlo_run("verify", "toy").code == 0  # files are mapped
    monkeypatch.setenv("EDGEVLO_IGNORE_MEMORY", "1")
    assert edgevlo_run("paint", "a car", "-m", "toy", "-o", "car.png").code == 0
    assert files() == ["car.png"]


def test_ctrl_c_is_exit_130_and_leaves_no_file(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = Engine.decode
    calls = []

    def interrupted(self: Engine, codes: Codes) -> Pixels:
        calls.append(codes.shape)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return decode(self, codes)

    monkeypatch.setattr(Engine, "decode", interrupted)

    ran = edgevlo_run("paint", "a car", "-m", "toy", "-n", "3")

    assert ran.code == 130
    assert ran.err.strip() == "stopped"
    assert files() == ["out-1.png"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_have_their_exit_codes(
    edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def ended(*_: object) -> None:
        raise Ended(number)

    monkeypatch.setattr(Engine, "decode", ended)

    ran = edgevlo_run("paint", "a car", "-m", "toy")

    assert (ran.code, ran.err.strip()) == (128 + number, "stopped")


def test_a_file_that_ends_is_not_ctrl_c(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(*_: object) -> None:
        raise EOFError("Ran out of input")

    monkeypatch.setattr(Engine, "decode", ends)

    with pytest.raises(EOFError):
        edgevlo_run("paint", "a car", "-m", "toy")


def test_a_lack_of_memory_is_one_line(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def starve(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Engine, "decode", starve)

    fails(edgevlo_run("paint", "a car", "-m", "toy"), "there is not enough memory for this; paint a smaller size")


def test_a_bug_keeps_its_traceback(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Engine, "decode", broken)

    with pytest.raises(ZeroDivisionError):
        edgevlo_run("paint", "a car", "-m", "toy")

"""How many threads run a graph: within the affinity mask and the quotas of control groups, as those of the system."""

import os
import subprocess
import sys
from pathlib import Path

import onnxruntime as ort
import pytest

from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.graphs.onnx_sessions import open_graph
from edgevlo.runtime.graphs.threads import VARIABLE, most_threads, threads_for, usable_cpus
from edgevlo.runtime.model import Model

LARGE = 1 << 30
MASK = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def system(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


V2 = {"proc/self/cgroup": "0::/box/inner\n"}
V1 = {"proc/self/cgroup": "4:cpu,cpuacct:/box\n2:memory:/box\n"}


def v1(folder: str, quota: int, period: int) -> dict[str, str]:
    group = f"sys/fs/cgroup/{folder}"
    return {**V1, f"{group}/cpu.cfs_quota_us": f"{quota}\n", f"{group}/cpu.cfs_period_us": f"{period}\n"}


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({}, MASK),
        ({**V2, "sys/fs/cgroup/box/inner/cpu.max": "max 100000\n"}, MASK),
        ({**V2, "sys/fs/cgroup/box/inner/cpu.max": "50000 100000\n"}, 1),  # half a CPU is still one thread
        ({**V2, "sys/fs/cgroup/box/cpu.max": "199999 100000\n"}, 1),  # of the group around it; a part counts down
        ({**V2, "sys/fs/cgroup/box/inner/cpu.max": "6400000 100000\n"}, MASK),
        ({**V2, "sys/fs/cgroup/box/inner/cpu.max": "nonsense\n"}, MASK),
        (v1("cpu/box", -1, 100_000), MASK),
        (v1("cpu/box", 100_001, 100_000), 1),
        (v1("cpu,cpuacct", 150_000, 100_000), 1),
    ],
)
def test_cpus_are_those_of_the_mask_and_of_the_quota(tmp_path: Path, files: dict[str, str], cpus: int) -> None:
    assert usable_cpus(system(tmp_path, files)) == cpus


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity masks")
def test_a_mask_of_one_cpu_gives_one_thread_there() -> None:
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from edgevlo.runtime.graphs.threads import threads_for; print(threads_for(1 << 30))"
    )

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "1\n"


@pytest.mark.parametrize(("text", "threads"), [("", MASK), ("0", MASK), ("1", 1), (" 1 ", 1), ("999", MASK)])
def test_the_variable_asks_for_threads_within_what_can_be_used(
    monkeypatch: pytest.MonkeyPatch, text: str, threads: int
) -> None:
    monkeypatch.setenv(VARIABLE, text)

    assert most_threads() == min(threads, usable_cpus())


@pytest.mark.parametrize(("asked", "threads"), [(0, 1), (1, 1), (999, usable_cpus())])
def test_what_a_caller_asks_for_goes_before_the_variable(
    monkeypatch: pytest.MonkeyPatch, asked: int, threads: int
) -> None:
    monkeypatch.setenv(VARIABLE, "1")

    assert most_threads(asked) == threads


def test_a_model_opens_its_graphs_with_the_threads_asked_for(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgevlo.runtime.graphs.threads._ONE_THREAD_BYTES", 0)
    model = Model.open(toy, threads=1)

    assert model._engine._backbone.get_session_options().intra_op_num_threads == 1  # type: ignore[union-attr]
    with pytest.raises(RequestError, match="-1 is not a number of threads; take 1 or more"):
        Model.open(toy, threads=-1)


@pytest.mark.parametrize("text", ["two", "-1", "1.5", "٣x"])
def test_a_variable_that_is_not_a_number_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(VARIABLE, text)

    with pytest.raises(RequestError, match=f"{VARIABLE}=.* is not a number of threads; set it to 1 or more"):
        most_threads()


def test_small_graphs_run_on_one_thread_whatever_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "64")

    assert threads_for(1000) == 1


def test_only_the_backbone_waits_busily(toy: Path) -> None:
    bundle = open_bundle(toy)

    def spins(session: ort.InferenceSession) -> bool:
        try:
            return bool(
                session.get_session_options().get_session_config_entry("session.intra_op.allow_spinning") != "0"
            )
        except RuntimeError:  # never set: ONNX Runtime's default, which is to spin
            return True

    assert {role: spins(open_graph(bundle, role)) for role in bundle.manifest.graphs} == {
        role: role == "backbone" for role in bundle.manifest.graphs
    }

"""What a bundle takes of memory: said as it is on disk and in arrays, predicted near the peak, refused in time."""

import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from toy_bundle import rewritten

import edgevlo
from edgevlo.cli.describe import memory_facts
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import MemoryShortError
from edgevlo.runtime.graphs.backbone_kv_cache import Backbone
from edgevlo.runtime.graphs.embeddings import Embeddings
from edgevlo.runtime.graphs.onnx_sessions import open_graph
from edgevlo.runtime.manifest.graphs import Backbone as Shape
from edgevlo.runtime.manifest.schema import read_manifest
from edgevlo.runtime.memory import predict, refuse
from edgevlo.runtime.memory.available import available_bytes
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures import codes_to_pixels

PICTUREBOOK = Path(edgevlo.__file__).parent / "bundles" / "picturebook"
GIB = 2**30


def available(monkeypatch: pytest.MonkeyPatch, size: int | None) -> None:
    monkeypatch.delenv("EDGEVLO_IGNORE_MEMORY", raising=False)
    monkeypatch.setattr(refuse, "available_bytes", lambda: size)


@pytest.mark.parametrize("folder", ["toy", "picturebook"])
def test_modules_are_the_files_on_the_disk(folder: str, toy: Path) -> None:
    bundle = toy if folder == "toy" else PICTUREBOOK
    found = predict.modules(read_manifest(bundle))

    for name, module in found.items():
        pattern = f"{name}.bin" if name.endswith("_embedding") else f"{name}.onnx*"
        assert module.bytes == sum(path.stat().st_size for path in bundle.glob(pattern)) > 0
    others = {"manifest.json", "tokenizer.json", "LICENCE.txt", "self_check.json"}
    everything = sum(path.stat().st_size for path in bundle.iterdir() if path.name not in others)
    assert sum(module.bytes for module in found.values()) == everything


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
@pytest.mark.parametrize(("rows", "capacity"), [(1, 256), (3, 512)])
def test_the_cache_has_the_bytes_of_its_arrays(dtype: Any, rows: int, capacity: int) -> None:
    shape = Shape(layers=3, hidden_size=32, kv_heads=2, head_dim=8, max_positions=512, cache_dtype=dtype)
    made = Backbone(None, shape, Embeddings(np.zeros((4, 32), np.float32)), rows=rows, capacity=capacity)

    assert predict.kv_bytes(shape, rows, capacity) == sum(array.nbytes for array in made._cache.values())


def test_the_default_cache_is_the_one_that_a_default_picture_gets(toy: Path) -> None:
    model = Model.open(toy)
    model.paint("a red car", seed=1)

    ((rows, painter),) = model._engine._idle.items()
    facts = memory_facts(model.manifest, toy)["kv_cache"]
    assert facts["rows"] == rows == 2  # with guidance
    assert facts["capacity"] == painter.backbone.capacity
    assert facts["bytes"] == sum(array.nbytes for array in painter.backbone._cache.values())


def test_a_large_cache_gives_way_to_the_decoder(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model.open(toy)
    first = model.paint("a red car", seed=1)
    (kept,) = model._engine._idle.values()
    assert model.paint("a red car", seed=1).tobytes() == first.tobytes()
    assert list(model._engine._idle.values()) == [kept]  # a small one stays for the next picture

    monkeypatch.setattr(predict, "_KEPT", 0)
    cache = weakref.ref(kept.backbone)
    del kept
    *_, last = model.paint_rows("a red car", seed=1)
    assert cache() is not None  # until there is something to decode
    decode = codes_to_pixels.decode

    def decoding(*given: Any) -> Any:
        assert cache() is None  # while the decoder runs, not only when it is done
        return decode(*given)

    with monkeypatch.context() as patched:
        patched.setattr(codes_to_pixels, "decode", decoding)
        assert last.preview.tobytes() == first.tobytes()
    assert cache() is None
    strokes = iter(model.paint_rows("a red car", seed=1))
    assert next(strokes).preview.size == first.size  # the one that paints stays
    *_, last = strokes
    assert last.preview.tobytes() == first.tobytes()


@pytest.mark.parametrize("role", ["backbone", "image_head", "image_decoder", "image_tokenizer"])
def test_graphs_of_pixels_keep_no_memory_after_a_run(toy: Path, role: Any) -> None:
    session: Any = open_graph(open_bundle(toy), role)
    assert session.get_session_options().enable_cpu_mem_arena == (role in ("backbone", "image_head"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak where Linux says it")
def test_large_blocks_are_given_back() -> None:
    program = (
        "import ctypes, sys\n"
        "from edgevlo.runtime.graphs.large_blocks import give_back_large_blocks\n"
        "def resident(): return next(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmRSS'))\n"
        "if sys.argv[1] == 'given': give_back_large_blocks()\n"
        "c = ctypes.CDLL(None)\n"
        "c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]\n"
        "def block():\n"
        "    found = c.malloc(20 << 20); ctypes.memset(found, 1, 20 << 20); return found\n"
        "c.free(block())\n"  # from here on glibc takes blocks of this size from its heap
        "before = resident()\n"
        "blocks = [block() for _ in range(4)]\n"
        "for one in blocks[:3]: c.free(one)\n"
        "print(resident() - before)\n"
    )

    def kept(how: str) -> int:
        return int(subprocess.run([sys.executable, "-c", program, how], capture_output=True, check=True).stdout)

    assert kept("given") < 30_000 < kept("not given")  # kB; one block of 20 MiB is held


def test_a_bundle_that_does_not_fit_is_not_opened(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    available(monkeypatch, 5)
    monkeypatch.setattr(ort, "InferenceSession", lambda *_, **__: pytest.fail("a graph was opened"))

    with pytest.raises(MemoryShortError, match=r"^toy needs 0\.1 MB of memory to be opened, and 0\.0 MB are") as caught:
        edgevlo.load(toy)
    assert "EDGEVLO_IGNORE_MEMORY=1" in str(caught.value)
    assert "int8 or int4" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, edgevlo.EdgevloError)
    assert isinstance(caught.value, MemoryError)


def test_a_picture_that_does_not_fit_leaves_nothing_allocated(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model.open(toy)
    work = predict.default_work(model.manifest)
    cache = predict.kv_bytes(model.manifest.backbone, work.rows, work.capacity)
    weights = predict.weights_bytes(toy, model.manifest, ("backbone", "image_head", "image_decoder"))
    monkeypatch.setattr(ort, "InferenceSession", lambda *_, **__: pytest.fail("a graph was opened"))
    monkeypatch.setattr(np, "zeros", lambda *_, **__: pytest.fail("an array was made"))

    for too_little in (0, weights, weights + cache):  # what reading the prompt takes is beyond both
        available(monkeypatch, too_little)
        with pytest.raises(MemoryShortError, match="a smaller size or a shorter prompt"):
            model.paint_rows("a red car", seed=1)
    assert model._engine._idle == {}
    assert not {"_backbone", "_image_head", "_image_decoder"} & vars(model._engine).keys()


def test_what_is_held_already_is_not_asked_for_again(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model.open(toy)
    first = model.paint("a red car", seed=1)
    available(monkeypatch, 0)

    assert model.paint("a red car", seed=1).tobytes() == first.tobytes()
    with pytest.raises(MemoryShortError):
        model.paint("a red car " * 90, seed=1)  # a larger cache
    with pytest.raises(MemoryShortError, match="for its image_tokenizer"):
        model.ask(first, "where is it")


@pytest.mark.parametrize(("size", "ignore"), [(None, None), (0, "1"), (64 * GIB, None)])
def test_nothing_is_refused_where_it_fits_is_unknown_or_is_to_be_ignored(
    toy: Path, monkeypatch: pytest.MonkeyPatch, size: int | None, ignore: str | None
) -> None:
    available(monkeypatch, size)
    if ignore is not None:
        monkeypatch.setenv("EDGEVLO_IGNORE_MEMORY", ignore)

    assert Model.open(toy).paint("a red car", seed=1).size == (20, 16)


def test_bundles_of_gpus_are_neither_predicted_nor_refused(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    available(monkeypatch, 0)
    folder = rewritten(toy, tmp_path / "cuda", lambda tree: tree.update(target="cuda"))

    assert Model.open(folder).manifest.target == "cuda"
    assert memory_facts(read_manifest(folder), folder)["peak"] is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak where Linux says it")
def test_the_peak_of_a_default_picture_is_near_the_predicted_one() -> None:
    program = (
        "import edgevlo, pathlib, re\n"
        f"edgevlo.load({str(PICTUREBOOK)!r}).paint('a red car', seed=1)\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', status).group(1))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    measured = int(ran.stdout) * 1024

    predicted = predict.predict(PICTUREBOOK, read_manifest(PICTUREBOOK))
    assert predicted is not None
    assert 0.9 <= predicted.peak / measured <= 1.25


def system(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


MEMINFO = {"proc/meminfo": f"MemTotal: {16 * 2**20} kB\nMemFree: 1 kB\nMemAvailable:   {8 * 2**20} kB\n"}
V2 = {**MEMINFO, "proc/self/cgroup": "0::/box/inner\n"}
V1 = {**MEMINFO, "proc/self/cgroup": "9:name=systemd:/x\n4:cpu,memory:/box\n0::/\n"}
V1_BOX = "sys/fs/cgroup/memory/box"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"proc/meminfo": "MemTotal: 5 kB\n"}, None),
        (MEMINFO, 8 * GIB),
        (V2, 8 * GIB),
        (
            {**V2, "sys/fs/cgroup/box/inner/memory.max": "max\n", "sys/fs/cgroup/box/inner/memory.current": "5\n"},
            8 * GIB,
        ),
        (
            {
                **V2,
                "sys/fs/cgroup/box/inner/memory.max": "max\n",
                "sys/fs/cgroup/box/inner/memory.current": "5\n",
                "sys/fs/cgroup/box/memory.max": f"{4 * GIB}\n",  # the limit of the group around it
                "sys/fs/cgroup/box/memory.current": f"{3 * GIB}\n",
                "sys/fs/cgroup/box/memory.stat": f"anon {GIB}\ninactive_file {GIB}\nactive_file {GIB // 2}\nfile 77\n",
            },
            5 * GIB // 2,
        ),
        (
            # inside a container: the path is the one outside, the files lie at the top
            {**V2, "sys/fs/cgroup/memory.max": f"{2 * GIB}", "sys/fs/cgroup/memory.current": f"{GIB}"},
            GIB,
        ),
        (
            {
                **V1,
                f"{V1_BOX}/memory.limit_in_bytes": f"{3 * GIB}\n",
                f"{V1_BOX}/memory.usage_in_bytes": f"{2 * GIB}\n",
                f"{V1_BOX}/memory.stat": f"inactive_file 9\ntotal_inactive_file {GIB}\n",
            },
            2 * GIB,
        ),
        (
            {
                **V1,
                f"{V1_BOX}/memory.limit_in_bytes": "9223372036854771712\n",
                f"{V1_BOX}/memory.usage_in_bytes": f"{2 * GIB}\n",
            },
            8 * GIB,
        ),
        (
            {
                **V1,
                f"{V1_BOX}/memory.limit_in_bytes": f"{GIB}\n",
                f"{V1_BOX}/memory.usage_in_bytes": f"{2 * GIB}\n",
            },
            0,
        ),
    ],
)
def test_what_is_available_is_the_least_of_system_and_control_groups(
    tmp_path: Path, files: dict[str, str], expected: int | None
) -> None:
    assert available_bytes(system(tmp_path, files)) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is known")
def test_this_system_says_what_is_available() -> None:
    found = available_bytes()
    assert found is not None
    assert 0 < found < 2**50

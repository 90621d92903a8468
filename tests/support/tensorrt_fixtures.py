"""The toolchain's bundle for TensorRT, on a fake GPU (fake_tensorrt.py) with engines in a folder of the test's own."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from exported import Exported
from fake_cuda import FakeCuda
from fake_tensorrt import FakeTensorRT

from edgevlo.quantization import quantize
from edgevlo.runtime import backends
from edgevlo.runtime.bundle import Bundle, open_bundle
from edgevlo.runtime.gpu.cuda import Cuda, find_gpu
from edgevlo.runtime.gpu.engine_cache import Device, build_engines

PROMPT_WORDS = "a red car on the beach"


@pytest.fixture(scope="session")
def tensorrt_bundle(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle for TensorRT; nobody changes it."""
    made = tmp_path_factory.mktemp("tensorrt") / "bundle"
    quantize(exported.portable, made, target="tensorrt", weights="int8", capacity=192, requests=0)
    return made


@pytest.fixture
def api() -> FakeCuda:
    return FakeCuda()


@pytest.fixture
def device(api: FakeCuda, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Device]:
    """Return a fake GPU that bundles are opened on, and engines kept in a folder of the test's own."""
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path / "home"))
    trt: Any = FakeTensorRT(api)
    made = Device(trt=trt, cuda=Cuda(cast(Any, api)), gpu=find_gpu(cast(Any, api)))
    monkeypatch.setattr(backends, "_device", lambda: made)
    yield made
    gc.collect()


@pytest.fixture
def built(tensorrt_bundle: Path, device: Device) -> Bundle:
    """Return the bundle with its engines built."""
    bundle = open_bundle(tensorrt_bundle)
    build_engines(bundle, device)
    return bundle

"""What target `tensorrt` asks of the machine: the library, its version, the driver, and the most of a top-k."""

from typing import Any

import pytest
from fake_cuda import FakeCuda

from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.gpu import tensorrt_api
from edgevlo.runtime.gpu.cuda import find_gpu


@pytest.mark.parametrize("version", ["10.3.0", "8.6.1", "10.14.1.48"])
def test_an_old_tensorrt_is_refused_naming_the_jetpack(version: str) -> None:
    with pytest.raises(
        BundleError, match=rf"TensorRT {version} is too old: .* needs 10\.15 or newer, on Jetson JetPack 7"
    ):
        tensorrt_api.check_version(version)


@pytest.mark.parametrize("version", ["10.15.1.29", "10.16.0", "11.4.0.106"])
def test_a_new_tensorrt_is_taken(version: str) -> None:
    tensorrt_api.check_version(version)


def test_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    api: Any = FakeCuda()
    monkeypatch.setattr(
        api, "cudaGetDeviceProperties", lambda _: (api.cudaError_t.cudaErrorStreamCaptureUnsupported, None)
    )
    with pytest.raises(BundleError, match=r"the GPU refused cudaGetDeviceProperties: .* Is an NVIDIA driver"):
        find_gpu(api)

"""The names and arguments that are used of NVIDIA's bindings are those that the real ones have.

tests/support/tensorrt_surface.json was written by the bindings themselves (tensorrt_surface.py beside it). With the
real ones on the path, the last tests read them again.
"""

import importlib
import inspect
import json
from typing import Any, cast

import fake_tensorrt
import pytest
from fake_cuda import FakeCuda
from fake_tensorrt import FakeTensorRT
from tensorrt_surface import FILE, arguments, cuda_surface, tensorrt_surface

from edgevlo.runtime.gpu import cuda as tensorrt_cuda
from edgevlo.runtime.gpu import tensorrt_api

RECORDED: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
METHODS = [(cls, method) for cls, methods in tensorrt_api.SURFACE.items() for method in methods]
VERSIONS = sorted(RECORDED["tensorrt"])


def test_the_oldest_and_a_new_version_were_read() -> None:
    parsed = sorted(tuple(map(int, version.split(".")[:2])) for version in VERSIONS)
    assert parsed[0] == tensorrt_api.OLDEST
    assert parsed[-1] >= (11, 0)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("cls", "method"), METHODS)
def test_a_method_takes_these_arguments(cls: str, method: str, version: str) -> None:
    given = list(tensorrt_api.SURFACE[cls][method])
    overloads = RECORDED["tensorrt"][version]["methods"][cls][method]
    # Arguments behind those that are given have defaults: they are written so in every overload that has them.
    assert any(overload[: len(given)] == given for overload in overloads), overloads


@pytest.mark.parametrize("version", VERSIONS)
def test_properties_and_members_are_there(version: str) -> None:
    recorded = RECORDED["tensorrt"][version]
    for cls, names in tensorrt_api.PROPERTIES.items():
        assert recorded["properties"][cls] == list(names)
    for name, members in tensorrt_api.MEMBERS.items():
        assert recorded["members"][name] == sorted(members)


def test_cuda_functions_and_members_are_there() -> None:
    for recorded in RECORDED["cuda"].values():
        for name, given in tensorrt_cuda.SURFACE.items():
            assert [list(given)] == recorded["functions"][name]
        for name, members in tensorrt_cuda.MEMBERS.items():
            assert recorded["members"][name] == sorted(members)


def parameters(function: Any) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


@pytest.mark.parametrize(("cls", "method"), METHODS)
def test_the_fake_takes_the_same_arguments(cls: str, method: str) -> None:
    fake = FakeTensorRT(FakeCuda())
    assert parameters(getattr(getattr(fake, cls), method)) == list(tensorrt_api.SURFACE[cls][method])


@pytest.mark.parametrize(("cls", "method"), METHODS)
def test_the_types_take_the_same_arguments(cls: str, method: str) -> None:
    names = {
        "INetworkDefinition": "Network",
        "IOptimizationProfile": "OptimizationProfile",
        "IBuilderConfig": "BuilderConfig",
        "ICudaEngine": "CudaEngine",
        "IExecutionContext": "Context",
    }
    ours = getattr(tensorrt_api, names.get(cls, cls))
    assert parameters(getattr(ours, method)) == list(tensorrt_api.SURFACE[cls][method])


@pytest.mark.parametrize("name", tensorrt_cuda.SURFACE)
def test_the_fake_cuda_takes_the_same_arguments(name: str) -> None:
    assert parameters(getattr(FakeCuda, name)) == list(tensorrt_cuda.SURFACE[name])


def test_the_fake_has_no_other_members() -> None:
    for name, members in tensorrt_api.MEMBERS.items():
        assert {one.name for one in getattr(fake_tensorrt, name)} == set(members), name


def test_arguments_are_read_from_docstrings_as_pybind11_writes_them() -> None:
    def build(*args: object, **kwargs: object) -> None:
        """build(*args, **kwargs)
        Overloaded function.

        1. build(self: m.B, network: m.N, shape: tuple[int, int] = (1, 2)) -> None

        2. build(self: m.B, size_t count) -> None
        """

    build.__doc__ = inspect.cleandoc(cast(str, build.__doc__))
    assert arguments(build) == [["network", "shape"], ["count"]]


def installed(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        pytest.skip(f"{module} is not installed, or not with its libraries: {error}")


def test_the_installed_tensorrt_is_as_recorded() -> None:
    trt = installed("tensorrt_bindings")
    if trt.__version__ not in VERSIONS:
        pytest.skip(f"TensorRT {trt.__version__} was not recorded")
    assert tensorrt_surface(trt) == RECORDED["tensorrt"][trt.__version__]


def test_the_installed_cuda_bindings_are_as_recorded() -> None:
    cuda = installed("cuda.bindings.runtime")
    assert cuda_surface(cuda) == next(iter(RECORDED["cuda"].values()))


def test_the_rtx_options_are_those_of_the_plugin() -> None:
    from importlib.util import find_spec
    from pathlib import Path

    from edgevlo.runtime.gpu import tensorrt_rtx

    spec = find_spec("onnxruntime_ep_nv_tensorrt_rtx")
    if spec is None or spec.origin is None:
        pytest.skip("onnxruntime-ep-nv-tensorrt-rtx-cu13 is not installed")
    header = (Path(spec.origin).parent / "tensorrt_rtx_provider_options.h").read_text(encoding="utf-8")
    for option in (
        tensorrt_rtx.MIN_SHAPES,
        tensorrt_rtx.OPT_SHAPES,
        tensorrt_rtx.MAX_SHAPES,
        tensorrt_rtx.RUNTIME_CACHE,
    ):
        assert f'"{option}"' in header

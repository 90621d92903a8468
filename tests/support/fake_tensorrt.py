"""TensorRT without a GPU: the calls that edgevlo makes, over fake_cuda.py's memory and ONNX Runtime.

An engine is the name of its ONNX file and its profiles; running it runs that file on the addresses that were set. What
a device would not survive is an error here too: shapes, addresses or a profile that change while a stream is captured
or before what was captured is launched again, and capturing shapes that were never run. The
names and arguments are those of tests/support/tensorrt_surface.json, which the real bindings wrote; a test compares.
"""

import enum
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from fake_cuda import FakeCuda


class Severity(enum.Enum):
    ERROR = 1


class Logger:
    ERROR = Severity.ERROR

    def __init__(self, min_severity: Severity) -> None:
        assert min_severity is Severity.ERROR


class BuilderFlag(enum.Enum):
    TF32 = 6


class MemoryPoolType(enum.Enum):
    WORKSPACE = 0


class NetworkDefinitionCreationFlag(enum.IntEnum):
    STRONGLY_TYPED = 1


class TensorIOMode(enum.Enum):
    INPUT = 1
    OUTPUT = 2


class TensorLocation(enum.Enum):
    DEVICE = 0
    HOST = 1


class DataType(enum.Enum):
    FLOAT = 1
    HALF = 10
    BF16 = 16
    INT64 = 7
    INT32 = 6
    INT8 = 3
    FP8 = 17


class ExecutionContextAllocationStrategy(enum.Enum):
    ON_PROFILE_CHANGE = 1


class Network:
    def __init__(self) -> None:
        self.model: str | None = None
        self.tensors: list[Any] = []

    @property
    def num_inputs(self) -> int:
        return len(self.tensors)

    def get_input(self, index: int) -> Any:
        return self.tensors[index]


class Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, list[list[int]]] = {}

    def set_shape(self, input: str, min: Sequence[int], opt: Sequence[int], max: Sequence[int]) -> None:  # noqa: A002
        assert all(low <= usual <= high for low, usual, high in zip(min, opt, max, strict=True))
        self.shapes[input] = [list(min), list(opt), list(max)]


class Config:
    def __init__(self) -> None:
        self.profiles: list[Profile] = []
        self.cleared: list[BuilderFlag] = []

    def add_optimization_profile(self, profile: Profile) -> int:
        self.profiles.append(profile)
        return len(self.profiles) - 1

    def set_memory_pool_limit(self, pool: MemoryPoolType, pool_size: int) -> None:
        assert pool is MemoryPoolType.WORKSPACE
        assert pool_size > 0

    def clear_flag(self, flag: BuilderFlag) -> None:
        self.cleared.append(flag)


class OnnxParser:
    def __init__(self, network: Network, logger: Logger) -> None:
        self.network, self.errors = network, list[str]()

    @property
    def num_errors(self) -> int:
        return len(self.errors)

    def get_error(self, index: int) -> str:
        return self.errors[index]

    def parse_from_file(self, model: str) -> bool:
        try:
            graph = onnx.load(model, load_external_data=False).graph
        except Exception as error:
            self.errors.append(f"cannot be read:\n{type(error).__name__}")
            return False
        for value in graph.input:
            shape = [d.dim_value if d.HasField("dim_value") else -1 for d in value.type.tensor_type.shape.dim]
            self.network.tensors.append(SimpleNamespace(name=value.name, shape=shape))
        self.network.model = model
        return True


class Builder:
    refuses = False

    def __init__(self, logger: Logger) -> None:
        pass

    def create_network(self, flags: int) -> Network:
        assert flags == 1 << int(NetworkDefinitionCreationFlag.STRONGLY_TYPED)
        return Network()

    def create_builder_config(self) -> Config:
        return Config()

    def create_optimization_profile(self) -> Profile:
        return Profile()

    def build_serialized_network(self, network: Network, config: Config) -> bytes | None:
        if self.refuses:
            return None
        assert BuilderFlag.TF32 in config.cleared
        dynamic = {tensor.name for tensor in network.tensors if -1 in tensor.shape}
        for profile in config.profiles:
            assert set(profile.shapes) == dynamic, "every dynamic input has shapes, and no other"
        built = {"model": network.model, "profiles": [profile.shapes for profile in config.profiles]}
        return json.dumps(built).encode()


class Context:
    def __init__(self, engine: "Engine") -> None:
        self.engine = engine
        self.addresses: dict[str, int] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.profile = -1  # none, and no memory
        self.changes = 0  # of anything that a captured graph holds
        self.settled = -1  # how many there had been when it was last run

    def _change(self) -> None:
        assert self.engine.cuda.recording is None, "a context changes while a stream is captured"
        self.changes += 1

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
        self._change()
        self.profile = profile_index
        return 0 <= profile_index < len(self.engine.profiles)

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self._change()
        self.addresses[name] = memory
        return name in self.engine.names

    def set_input_shape(self, name: str, shape: Sequence[int]) -> bool:
        self._change()
        stated = self.engine.profiles[self.profile].get(name)
        low, _, high = stated or [self.engine.get_tensor_shape(name)] * 3
        fits = all(a <= size <= b for a, size, b in zip(low, shape, high, strict=True))
        if fits:
            self.shapes[name] = tuple(shape)
        return fits

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        if name in self.shapes:
            return self.shapes[name]
        return self.engine.output_shapes(self.shapes)[name]

    def infer_shapes(self) -> list[str]:
        return [name for name in self.engine.names if name not in self.addresses]

    def execute_async_v3(self, stream_handle: int) -> bool:
        assert stream_handle == 77
        addresses, shapes, changes = dict(self.addresses), dict(self.shapes), self.changes
        captured = self.engine.cuda.recording is not None
        assert not captured or self.settled == changes, "shapes are captured that were never run"

        def work() -> None:
            assert not captured or self.changes == changes, "a captured graph is launched after its context changed"
            self.engine.execute({name: self.engine.cuda.at(one) for name, one in addresses.items()}, shapes)

        self.engine.cuda.enqueue(work)
        self.settled = changes
        return True


class Engine:
    """An ONNX file that runs on addresses."""

    def __init__(self, serialised: bytes, cuda: FakeCuda) -> None:
        built = json.loads(serialised)
        self.cuda, self.model, self.profiles = cuda, Path(built["model"]), built["profiles"]
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        self.session = ort.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])
        graph = onnx.load(self.model, load_external_data=False).graph
        self.inputs = {value.name: value for value in graph.input}
        self.outputs = {value.name: value for value in graph.output}
        self.names = [*self.inputs, *self.outputs]
        self.runs = self.contexts = 0

    @property
    def num_io_tensors(self) -> int:
        return len(self.names)

    @property
    def num_optimization_profiles(self) -> int:
        return len(self.profiles)

    @property
    def device_memory_size_v2(self) -> int:
        return 0

    def create_execution_context(self, strategy: ExecutionContextAllocationStrategy) -> Context:
        assert strategy is ExecutionContextAllocationStrategy.ON_PROFILE_CHANGE
        self.contexts += 1
        return Context(self)

    def get_tensor_name(self, index: int) -> str:
        return str(self.names[index])

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if name in self.inputs else TensorIOMode.OUTPUT

    def get_tensor_location(self, name: str) -> TensorLocation:
        return TensorLocation.DEVICE

    def get_tensor_dtype(self, name: str) -> DataType:
        return DataType(self._tensor(name).elem_type)

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(d.dim_value if d.HasField("dim_value") else -1 for d in self._tensor(name).shape.dim)

    def _tensor(self, name: str) -> Any:
        return {**self.inputs, **self.outputs}[name].type.tensor_type

    def output_shapes(self, shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the outputs for shapes of the inputs, by running on zeros."""
        feeds = {
            name: np.zeros(shapes[name], onnx.helper.tensor_dtype_to_np_dtype(self._tensor(name).elem_type))
            for name in self.inputs
        }
        return {name: made.shape for name, made in zip(self.outputs, self.session.run(None, feeds), strict=True)}

    def execute(self, addresses: dict[str, int], shapes: dict[str, tuple[int, ...]]) -> None:
        """Run on the memory at the addresses; past and present share theirs."""
        self.runs += 1
        binding = self.session.io_binding()
        held: dict[str, tuple[int, ...]] = dict(shapes)
        known = {"inputs_embeds": ("hidden", "last_hidden")}
        for name, shape in shapes.items():
            binding.bind_input(name, "cpu", 0, self._tensor(name).elem_type, shape, addresses[name])
            if name.startswith("past_"):
                held[name.replace("past_", "present_")] = shape
        if set(known) & set(shapes):
            rows, _, size = shapes["inputs_embeds"]
            held |= {"hidden": shapes["inputs_embeds"], "last_hidden": (rows, size)}
        missing = [name for name in self.outputs if name not in held]
        if missing:
            held |= {name: shape for name, shape in self.output_shapes(shapes).items() if name in missing}
        for name in self.outputs:
            binding.bind_output(name, "cpu", 0, self._tensor(name).elem_type, held[name], addresses[name])
        self.session.run_with_iobinding(binding)


class FakeTensorRT:
    """The module `tensorrt`, whose engines run on a fake GPU."""

    Logger = Logger
    Builder = Builder
    OnnxParser = OnnxParser
    BuilderFlag = BuilderFlag
    MemoryPoolType = MemoryPoolType
    NetworkDefinitionCreationFlag = NetworkDefinitionCreationFlag
    TensorIOMode = TensorIOMode
    TensorLocation = TensorLocation
    DataType = DataType
    ExecutionContextAllocationStrategy = ExecutionContextAllocationStrategy
    IOptimizationProfile = Profile
    IBuilderConfig = Config
    INetworkDefinition = Network
    ICudaEngine = Engine
    IExecutionContext = Context

    def __init__(self, cuda: FakeCuda, version: str = "10.15.1.29") -> None:
        self.__version__ = version
        self.cuda = cuda
        self.opened: list[Engine] = []

        class Runtime:
            def __init__(self, logger: Logger) -> None:
                pass

            def deserialize_cuda_engine(self, serialized_engine: bytes) -> Engine | None:
                if not serialized_engine.startswith(b"{"):
                    return None
                opened.append(Engine(serialized_engine, cuda))
                return opened[-1]

        opened = self.opened
        self.Runtime = Runtime

"""Self-check records of every family: each graph of a bundle is in them, and the bundle gives them again."""

from weakref import WeakValueDictionary

import pytest
from every_family import MAKERS, PortableOf

from edgevlo.quantization.targets.self_check import SparingEngine
from edgevlo.runtime.backends import open_runner
from edgevlo.runtime.bundle import Bundle, open_bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.graphs.protocols import Runner
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.self_check.make import make_record
from edgevlo.runtime.self_check.record import encode_record
from edgevlo.runtime.self_check.replay import replay
from edgevlo.runtime.self_check.report import findings


@pytest.mark.parametrize("family", MAKERS)
def test_every_graph_is_recorded_and_gives_the_same_again(family: str, portable_of: PortableOf) -> None:
    bundle = open_bundle(portable_of(family))
    record = make_record(bundle, Engine(bundle))
    found = findings(replay(Engine(bundle), bundle.manifest, record), record.limits)
    answers = any(ability.output == "text" for ability in bundle.manifest.abilities.values())
    replayed = set(bundle.manifest.graphs) - (set() if answers else {"text_head"})
    assert {one.graph for one in found} == replayed
    assert all(one.is_within for one in found)
    assert len(encode_record(record)) < 64 * 1024


def test_what_paints_is_closed_before_what_shows_and_reads_pictures_opens(portable_of: PortableOf) -> None:
    bundle, still_open = open_bundle(portable_of("Janus-4o-7B")), WeakValueDictionary[GraphRole, Runner]()
    beside: dict[GraphRole, set[GraphRole]] = {}

    def opened(bundle: Bundle, role: GraphRole) -> Runner:
        beside.setdefault(role, set(still_open))
        still_open[role] = runner = open_runner(bundle, role)
        return runner

    record = make_record(bundle, SparingEngine(bundle, opened))
    replay(SparingEngine(bundle, opened), bundle.manifest, record)
    painting = {"backbone", "image_head", "text_head"}
    assert beside["text_head"] == {"backbone", "image_head"}
    assert not beside["image_decoder"] & painting
    assert not beside["vision_encoder"] & painting

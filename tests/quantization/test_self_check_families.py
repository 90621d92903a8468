"""Self-check records of every family: each graph of a bundle is in them, and the bundle gives them again."""

import pytest
from every_family import MAKERS, PortableOf

from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.engine import Engine
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

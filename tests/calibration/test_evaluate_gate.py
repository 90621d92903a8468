"""The gate and the search for what must keep its precision: bad bundles are caught, harmless ones pass."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from damaged_bundles import Change, coarse, damaged, filled, noisy

from edgevlo.calibration.evaluation import gate, sensitivity
from edgevlo.calibration.evaluation.compare import Comparison
from edgevlo.calibration.evaluation.gate import QualityError, Verdict, headline, judge, record, verdict
from edgevlo.calibration.evaluation.limits import FIGURES, LIMITS, coarsest, limits_of
from edgevlo.calibration.evaluation.reference import Reference, Subject
from edgevlo.calibration.evaluation.sensitivity import Attempt, Budget, keep_most_sensitive, parse_budget, rank
from edgevlo.cli.describe import describe
from edgevlo.runtime.bundle import EMBEDDED, open_bundle, seal
from edgevlo.runtime.errors import BundleError, RequestError
from edgevlo.runtime.manifest.graphs import GraphRole, Precision
from edgevlo.runtime.manifest.schema import Quality, encode_manifest, read_manifest

PICTUREBOOK = EMBEDDED / "picturebook"


@pytest.fixture(scope="module")
def reference() -> Reference:
    return gate.reference_of(open_bundle(PICTUREBOOK), count=4)


def test_a_decoder_in_int4_with_one_scale_a_tensor_is_caught(reference: Reference, tmp_path: Path) -> None:
    bad = damaged(PICTUREBOOK, tmp_path / "bad", {"image_decoder": coarse(4)}, "int4")

    found = judge(reference, Subject(open_bundle(bad)))

    assert found.precision == "int4"
    assert not found.passed
    assert any(reason.startswith("same codes decoded, colour") for reason in found.reasons)
    assert found.figures["code_agreement"] == 1  # the backbone is what it was


def test_a_head_in_int8_and_a_decoder_with_hardly_any_noise_pass(reference: Reference, tmp_path: Path) -> None:
    changes: dict[GraphRole, Change] = {"image_decoder": noisy(2e-5), "image_head": coarse(8)}
    harmless = damaged(PICTUREBOOK, tmp_path / "harmless", changes, "int8")

    found = judge(reference, Subject(open_bundle(harmless)))

    assert found.passed, found.reasons
    assert found.reasons == ()
    assert found.figures["kl_mean"] > 0  # something was changed
    assert 0 < found.figures["decoder_ciede2000_p95"] < 1


@pytest.mark.parametrize("role", ["image_head", "image_decoder"])
def test_weights_that_are_no_numbers_are_caught(reference: Reference, tmp_path: Path, role: GraphRole) -> None:
    broken = damaged(PICTUREBOOK, tmp_path / "broken", {role: filled(float("nan"))})
    assert not judge(reference, Subject(open_bundle(broken))).passed


def test_a_bundle_of_another_model_is_no_candidate(reference: Reference, toy: Path) -> None:
    with pytest.raises(BundleError, match=r"is not .*picturebook in another precision"):
        judge(reference, Subject(open_bundle(toy)))


@pytest.mark.parametrize("precision", LIMITS)
def test_every_limit_is_of_a_figure_and_coarser_precisions_ask_for_no_more(precision: Precision) -> None:
    for name, bound in LIMITS[precision].items():
        exact = LIMITS["fp32"][name]
        assert bound <= exact if FIGURES[name].better == "more" else bound >= exact


def test_every_figure_that_can_be_judged_is_one_of_a_comparison() -> None:
    nothing = Comparison().figures()
    assert headline(nothing) == {}
    assert verdict(nothing, "int8").passed  # of nothing there is nothing wrong


def test_a_reason_names_figure_value_and_bound() -> None:
    comparison = Comparison()
    comparison.read = [True] * 9 + [False]

    found = verdict(comparison.figures(), "int8")

    assert found.reasons == ("codes read from pictures that agree: 90.00 %, at least 98.00 % is required",)
    assert verdict(comparison.figures(), "int8", {"reading_agreement": 0.9}).passed


def test_the_coarsest_graph_table_or_cache_decides(toy: Path, tmp_path: Path) -> None:
    assert coarsest(read_manifest(toy)) == "fp32"
    mixed = damaged(toy, tmp_path / "mixed", {"image_head": noisy(0.0)}, "int4")
    assert coarsest(read_manifest(mixed)) == "int4"
    manifest = read_manifest(toy)
    cached = msgspec.structs.replace(manifest.backbone, cache_dtype="int8")
    assert coarsest(msgspec.structs.replace(manifest, backbone=cached)) == "int8"
    for table in ("token_embedding", "code_embedding"):
        stored = msgspec.structs.replace(manifest.token_embedding, dtype="int4")
        assert coarsest(msgspec.structs.replace(manifest, **{table: stored})) == "int4"


def test_what_one_module_moves_is_judged_by_its_own_precision(toy: Path, tmp_path: Path) -> None:
    mixed = limits_of(read_manifest(damaged(toy, tmp_path / "mixed", {"image_head": noisy(0.0)}, "int4")))
    decoder = {name for name, figure in FIGURES.items() if figure.module == "image_decoder"} & mixed.keys()
    assert {name: mixed[name] for name in decoder} == {name: LIMITS["fp32"][name] for name in decoder}
    assert mixed["decoder_ciede2000_p95"] < LIMITS["int4"]["decoder_ciede2000_p95"]
    assert mixed["kl_mean"] == LIMITS["int4"]["kl_mean"]
    assert limits_of(read_manifest(toy)) == LIMITS["fp32"]


# What a manifest says.


def kept(passed: bool) -> Verdict:
    reasons = () if passed else ("it is bad",)
    return Verdict(passed=passed, precision="int4", limits={"kl_mean": 0.4}, figures={"kl_mean": 0.5}, reasons=reasons)


def test_a_verdict_stands_in_the_manifest_and_is_shown(reference: Reference, tmp_path: Path, toy: Path) -> None:
    bundle = damaged(toy, tmp_path / "bundle", {})
    manifest = read_manifest(bundle)
    (bundle / "manifest.json").unlink()
    quality = record(reference, kept(passed=False))
    sealed = seal(bundle, msgspec.structs.replace(manifest, quality=quality))

    assert read_manifest(bundle) == sealed
    assert sealed.quality is not None
    assert sealed.quality.reference == open_bundle(PICTUREBOOK).digest
    assert (sealed.quality.requests, sealed.quality.limits, sealed.quality.passed) == (4, "int4", False)
    assert "quality    BELOW the limits of int4, kept with --accept-quality-loss: it is bad" in describe(sealed, bundle)
    good = msgspec.structs.replace(manifest, quality=record(reference, kept(passed=True)))
    assert "quality    within the limits of int4, against" in describe(good, bundle)
    assert "quality    not measured" in describe(manifest, bundle)


def test_a_verdict_without_reasons_passed() -> None:
    digest = "0" * 64
    with pytest.raises(ValueError, match="reasons if and only if it did not pass"):
        Quality(reference=digest, requests=1, data=digest, limits="int8", passed=False, figures={})


def test_a_manifest_without_a_verdict_has_no_such_key(toy: Path) -> None:
    assert b'"quality"' not in encode_manifest(read_manifest(toy))


# Sensitivity. A module is a graph of the toy; quantising it is adding noise, much or little.

NOISE: dict[str, float] = {"image_head": 0.5, "text_head": 0.3, "image_decoder": 0.001}
CODES = {"decided_agreement": 0.9, "kl_mean": 0.1, "answer_token_agreement": 0.9, "decoder_ciede2000_p95": 3.0}


@pytest.fixture(scope="module")
def toy_reference(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    path = tmp_path_factory.mktemp("requests") / "requests.txt"
    path.write_text("a red car\na big tree\nask: where is it\nask: a tree\n")
    return gate.reference_of(open_bundle(toy), requests=path, count=4)


def asked(limits: dict[str, float]) -> Verdict:
    return Verdict(passed=True, precision="int4", limits=limits, figures={}, reasons=())


Judged = Callable[[dict[str, float]], Attempt]


@pytest.fixture
def judged(toy: Path, toy_reference: Reference) -> Judged:
    """Return a function that makes attempts at the toy, judged by these limits."""

    def attempts(limits: dict[str, float]) -> Attempt:
        def attempt(kept: frozenset[str], folder: Path, like: Verdict | None) -> Verdict:
            roles: tuple[GraphRole, ...] = ("image_head", "text_head", "image_decoder")
            damaged(toy, folder, {role: noisy(NOISE[role]) for role in roles if role not in kept})
            return judge(toy_reference, Subject(open_bundle(folder)), like=like or asked(limits))

        return attempt

    return attempts


def counted(attempt: Attempt, tried: list[tuple[int, Verdict | None]]) -> Attempt:
    """Return the same, which also notes how much each attempt keeps, and by what it is to be judged."""

    def noted(kept: frozenset[str], folder: Path, like: Verdict | None) -> Verdict:
        tried.append((len(kept), like))
        return attempt(kept, folder, like)

    return noted


def test_modules_are_ranked_by_the_damage_each_does_alone(judged: Judged, tmp_path: Path) -> None:
    ranking = rank(NOISE, judged({}), asked(CODES), scratch=tmp_path)

    assert [damage.module for damage in ranking] == ["image_head", "text_head", "image_decoder"]
    assert ranking[0].used > 1 > ranking[2].used > 0
    assert not ranking[0].verdict.passed
    assert ranking[1].verdict.figures["code_agreement"] == 1  # the text head alone changes no code
    assert list(tmp_path.iterdir()) == []


def test_as_few_modules_are_kept_as_the_budget_needs(judged: Judged, tmp_path: Path) -> None:
    tried = list[tuple[int, Verdict | None]]()
    found = keep_most_sensitive(NOISE, counted(judged(CODES), tried), Budget(disagreement=0.0), scratch=tmp_path)

    assert found.modules == {"image_head", "text_head"}
    assert [damage.module for damage in found.ranking] == ["image_head", "text_head", "image_decoder"]
    assert found.verdict.passed
    assert found.verdict.figures["code_agreement"] == 1
    assert list(tmp_path.iterdir()) == []
    assert tried[0] == (0, None)
    assert all(like is not None and like.limits == CODES for _, like in tried[1:])  # what was asked for


def test_no_layers_are_kept_in_two_trials(judged: Judged) -> None:
    attempt, tried = judged(CODES), list[frozenset[str]]()

    def noted(kept: frozenset[str], folder: Path, like: Verdict | None) -> Verdict:
        tried.append(kept)
        return attempt(kept, folder, like)

    found = keep_most_sensitive(NOISE, noted, Budget(disagreement=0.0))
    assert found.modules in tried  # all but the least harmful, as when that alone was quantised
    assert len(tried) == len(set(tried))


def test_a_budget_of_divergence_counts_nats(judged: Judged) -> None:
    loose = dict.fromkeys(CODES, 0.0) | {"kl_mean": 100.0, "decoder_ciede2000_p95": 100.0}
    alone = {damage.module: damage.verdict.figures["kl_mean"] for damage in rank(NOISE, judged({}), asked(loose))}
    assert alone["text_head"] == alone["image_decoder"] == 0
    for budget, expected in ((alone["image_head"] * 1.01, set()), (alone["image_head"] * 0.99, {"image_head"})):
        assert keep_most_sensitive(NOISE, judged(loose), Budget(divergence=budget)).modules == expected


def test_nothing_is_ranked_where_everything_is_harmless(judged: Judged) -> None:
    tried = list[tuple[int, Verdict | None]]()
    attempt = counted(judged({"kl_mean": 100.0, "decoder_ciede2000_p95": 3.0}), tried)
    found = keep_most_sensitive(NOISE, attempt, Budget(disagreement=1.0))
    assert (found.modules, found.ranking, tried) == (frozenset(), (), [(0, None)])


def test_a_loss_that_is_accepted_needs_no_limits_but_the_budget(judged: Judged) -> None:
    attempt = judged(CODES | {"decoder_ssim": 1.5})
    with pytest.raises(
        QualityError, match=r"even with no layer quantised: .* at least 1\.5 is required\. Accept the loss with"
    ):
        keep_most_sensitive(NOISE, attempt, Budget(divergence=1e-9))
    found = keep_most_sensitive(NOISE, attempt, Budget(divergence=1e-9), accept_loss=True)
    assert found.modules == {"image_head"}
    assert not found.verdict.passed


def test_what_is_accepted_already_is_not_advised(judged: Judged) -> None:
    attempt = judged({"decoder_ssim": 1.5})  # which nothing holds
    for accept_loss in (False, True):
        with pytest.raises(QualityError, match=r"at least 1\.5 is required\. Give a larger one\.$"):
            keep_most_sensitive(NOISE, attempt, Budget(divergence=-1.0), accept_loss=accept_loss)


def test_as_many_modules_are_kept_as_bytes_allow(toy_reference: Reference, toy: Path) -> None:
    def attempt(kept: frozenset[str], folder: Path, like: Verdict | None) -> Verdict:
        damaged(toy, folder, {role: noisy(NOISE[role]) for role in ("image_head",) if role not in kept})
        manifest = read_manifest(folder)
        (folder / "manifest.json").unlink()
        (folder / "more.txt").write_bytes(bytes(1000 * len(kept)))
        seal(folder, manifest)
        return judge(toy_reference, Subject(open_bundle(folder)), like=like or asked(CODES))

    size = sum(file.bytes for file in read_manifest(toy).files.values())
    counts = []
    for allowed in (size, size + 1500, size + 2000, size + 10**6):
        tried = list[tuple[int, Verdict | None]]()
        found = keep_most_sensitive(NOISE, counted(attempt, tried), Budget(bytes=allowed), accept_loss=True)
        counts.append((len(found.modules), len(tried)))
        assert found.bytes <= allowed
        assert found.bytes == size + 1000 * len(found.modules)
        assert not found.modules or "image_head" in found.modules
    assert [kept for kept, _ in counts] == [0, 1, 2, 3]
    assert counts[-1] == (3, 2)  # none, all: no ranking
    tried = []
    with pytest.raises(
        QualityError, match=rf"with every layer quantised the bundle has {size} bytes\. Allow at least as many"
    ):
        keep_most_sensitive(NOISE, counted(attempt, tried), Budget(bytes=10))
    assert len(tried) == 1


def test_bytes_that_leave_a_bundle_below_its_limits_are_refused(toy_reference: Reference, toy: Path) -> None:
    def attempt(kept: frozenset[str], folder: Path, _like: Verdict | None) -> Verdict:
        damaged(toy, folder, {role: noisy(NOISE[role]) for role in ("image_head",) if len(kept) < 3})
        manifest = read_manifest(folder)
        (folder / "manifest.json").unlink()
        (folder / "more.txt").write_bytes(bytes(1000 * len(kept)))
        seal(folder, manifest)
        return judge(
            toy_reference, Subject(open_bundle(folder)), like=asked({"kl_mean": hopeless if len(kept) == 3 else 1e-3})
        )

    size = sum(file.bytes for file in read_manifest(toy).files.values())
    hopeless = 1.0
    with pytest.raises(
        QualityError, match=r"with 1 of 3 layers unquantised, .* below the limits of int4: .*\. Allow more bytes"
    ):
        keep_most_sensitive(NOISE, attempt, Budget(bytes=size + 1500))
    assert keep_most_sensitive(NOISE, attempt, Budget(bytes=size + 1500), accept_loss=True).bytes == size + 1000
    hopeless = -1.0
    with pytest.raises(
        QualityError, match=r"with 3 of 3 layers unquantised, .*\. Accept the loss with `accept_loss=True`\.$"
    ):
        keep_most_sensitive(NOISE, attempt, Budget(bytes=size + 1500))


def test_a_budget_that_nothing_holds(toy_reference: Reference, toy: Path) -> None:
    def attempt(_kept: frozenset[str], folder: Path, like: Verdict | None) -> Verdict:
        damaged(toy, folder, {"image_head": noisy(0.5)})
        return judge(toy_reference, Subject(open_bundle(folder)), like=like or asked(CODES))

    tried = list[tuple[int, Verdict | None]]()
    with pytest.raises(QualityError, match=r"cannot be met, even with no layer quantised: [\d.]+ % of codes differ"):
        keep_most_sensitive(NOISE, counted(attempt, tried), Budget(disagreement=0.01))
    assert [count for count, _ in tried] == [0, 3]


def test_an_attempt_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(_kept: frozenset[str], folder: Path, _like: Verdict | None) -> Verdict:
        folder.mkdir()
        (folder / "half.onnx").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rank(NOISE, interrupt, asked(CODES), scratch=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("1%", Budget(disagreement=0.01)),
        (" 0.5 % ", Budget(disagreement=0.005)),
        ("0.01nats", Budget(divergence=0.01)),
        ("2 nats", Budget(divergence=2.0)),
        ("1.4e-05nats", Budget(divergence=1.4e-5)),
        ("0.95GB", Budget(bytes=950_000_000)),
        ("900 mb", Budget(bytes=900_000_000)),
        ("12B", Budget(bytes=12)),
    ],
)
def test_budgets_are_shares_or_bytes(text: str, budget: Budget) -> None:
    assert parse_budget(text) == budget


@pytest.mark.parametrize("text", ["", "0.01", "101%", "-1%", "much", "1 TB", "1e3MB"])
def test_other_budgets_are_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"is not a share of codes .* \(1%\), a divergence \(0\.01nats\) or a size"):
        parse_budget(text)


@pytest.mark.parametrize(
    ("figures", "share"),
    [
        ({"kl_mean": 0.05}, 0.5),
        ({"decided_agreement": 0.95}, 0.5),
        ({"kl_mean": 0.05, "decided_agreement": 0.7}, 3.0),
        ({"code_agreement": 0.0}, 0.0),  # not among the limits
        ({"kl_mean": float("nan")}, float("inf")),
    ],
)
def test_damage_is_the_share_of_a_limit(figures: dict[str, float], share: float) -> None:
    assert sensitivity.used(figures, CODES) == pytest.approx(share)

"""Two bundles, teacher-forced, against the same mathematics over whole sequences in float64."""

import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from damaged_bundles import coarse, damaged, filled, noisy
from onnx import numpy_helper
from PIL import Image
from toy_bundle import rewritten
from toy_reference import CELL, FIRST_TOKEN, REFERENCE, VOCABULARY, WEIGHTS, ids

from edgevlo.calibration.evaluation.cases import Case, cases
from edgevlo.calibration.evaluation.compare import Comparison, Figures, compare
from edgevlo.calibration.evaluation.hidden_states import layer_names, why_no_layers
from edgevlo.calibration.evaluation.reference import Performer, Reference, Subject
from edgevlo.calibration.evaluation.teacher_forcing import Trace
from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.bundle import EMBEDDED, open_bundle
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.model import Model

PICTUREBOOK = EMBEDDED / "picturebook"
WORDS = ("a red car", "a big blue house on the left", "tree")
ROWS, COLUMNS = 4, 5  # the toy's default grid
GUIDANCE = ((2.0, True), (-1.0, False))  # weights of the prompt and of the negative one, "ugly"
EOL, EOI, EOS = (VOCABULARY[f"<{name}>"] for name in ("eol", "eoi", "eos"))


OPENER = ids(f"<image> {ROWS} * {COLUMNS} <grid>")


def requests(folder: Path, *lines: str) -> Path:
    path = folder / "requests.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def toy_cases(toy: Path, folder: Path, *lines: str) -> list[Case]:
    return cases(open_bundle(toy).manifest, requests(folder, *lines), None, len(lines))


def hidden(words: str, codes: list[int]) -> list[Floats]:
    """Return the guided sum of hidden states behind the prompts, and behind every code but the last."""
    fed: list[int] = []
    for number, code in enumerate(codes, start=1):
        fed += [FIRST_TOKEN + code] + ([EOL] if number % COLUMNS == 0 else [])
    states = []
    for weight, own in GUIDANCE:
        prompt = [VOCABULARY["<bos>"], *ids(words if own else "ugly"), *OPENER]
        everything = REFERENCE.hidden([*prompt, *fed])
        places = [len(prompt) - 1 + draw + draw // COLUMNS for draw in range(len(codes))]
        states.append(weight * everything[places])
    return list(np.sum(states, axis=0))


def softmax(logits: Floats) -> Floats:
    shares = np.exp(logits - logits.max())
    return np.asarray(shares / shares.sum())


def test_a_trace_has_the_guided_logits_behind_every_draw(toy: Path, tmp_path: Path) -> None:
    (case,) = toy_cases(toy, tmp_path, WORDS[0])

    trace = Performer(open_bundle(toy)).teacher_forced(case, [])

    assert trace.shape == (ROWS, COLUMNS)
    expected = np.array(hidden(WORDS[0], trace.codes)) @ WEIGHTS.image_head.astype(np.float64)
    np.testing.assert_allclose(trace.logits, expected, atol=1e-4)
    assert trace.codes == expected.argmax(axis=1).tolist()
    painted = list(Model.open(toy).paint_rows(WORDS[0], temperature=0))[-1].codes  # the runtime's own greedy painting
    assert trace.codes == painted.ravel().tolist()


def test_a_teacher_decides_and_the_pupils_own_choice_is_noted(toy: Path, tmp_path: Path) -> None:
    (case,) = toy_cases(toy, tmp_path, WORDS[1])
    fed = np.random.default_rng(0).integers(0, 27, ROWS * COLUMNS).tolist()

    trace = Performer(open_bundle(toy)).teacher_forced(case, [], Trace(codes=fed))

    expected = np.array(hidden(WORDS[1], fed)) @ WEIGHTS.image_head.astype(np.float64)
    np.testing.assert_allclose(trace.logits, expected, atol=5e-3)  # logits are around 20
    assert trace.codes == expected.argmax(axis=1).tolist()
    assert trace.codes != fed


@pytest.fixture(scope="module")
def figures(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """Return what is measured of a toy whose image head has three bits, at three pictures."""
    folder = tmp_path_factory.mktemp("three-bits")
    worse = damaged(toy, folder / "worse", {"image_head": coarse(3)})
    reference = Reference(Subject(open_bundle(toy)), toy_cases(toy, folder, *WORDS))
    return compare(reference, Subject(open_bundle(worse)))[0]


def test_agreement_and_divergence_are_those_of_float64(figures: Figures, toy: Path) -> None:
    exact, worse = (matrix.astype(np.float64) for matrix in (WEIGHTS.image_head, coarse(3)(WEIGHTS.image_head)))
    agreed, decided, divergences = [], [], []
    for words in WORDS:
        codes = list(Model.open(toy).paint_rows(words, temperature=0))[-1].codes.ravel().tolist()
        for state in hidden(words, codes):
            p, q = softmax(state @ exact), softmax(state @ worse)
            agreed.append(p.argmax() == q.argmax())
            first, second = np.sort(p)[::-1][:2]
            decided.append(first >= 2 * second)
            divergences.append(np.sum(p * np.log(p / q)))

    found = figures["codes"]

    clear = [same for same, sure in zip(agreed, decided, strict=True) if sure]
    assert 0 < np.mean(agreed) < 1  # or there is nothing to see
    assert 0 < np.mean(clear) < 1
    assert found["cells"] == 3 * ROWS * COLUMNS
    assert found["agreement"] == pytest.approx(np.mean(agreed))
    assert (found["decided"], found["decided_agreement"]) == (len(clear), pytest.approx(np.mean(clear)))
    assert found["kl_mean"] == pytest.approx(np.mean(divergences), rel=1e-3)
    assert found["kl_p99"] == pytest.approx(np.percentile(divergences, 99), rel=1e-3)
    by_row = np.reshape(divergences, (3, ROWS, COLUMNS)).transpose(1, 0, 2).reshape(ROWS, -1)
    assert [row["row"] for row in found["rows"]] == list(range(ROWS))
    np.testing.assert_allclose([row["kl_mean"] for row in found["rows"]], by_row.mean(axis=1), rtol=1e-3)


def test_what_was_not_touched_is_the_same(figures: Figures) -> None:
    assert figures["hidden_sqnr_db"] is None  # no difference
    assert figures["decoder"] == {"psnr_db": None, "ssim": 1.0, "ciede2000_median": 0.0, "ciede2000_p95": 0.0}
    assert figures["pictures"]["ciede2000_p95"] > 10  # other codes, other colours
    assert figures["answers"] is None


def test_a_bundle_equals_itself(toy: Path, tmp_path: Path) -> None:
    listed = toy_cases(toy, tmp_path, *WORDS, "ask: where is it", "edit: a tree")
    found, pairs = compare(Reference(Subject(open_bundle(toy)), listed), Subject(open_bundle(toy)))
    assert found["codes"]["agreement"] == 1
    assert found["codes"]["kl_mean"] == 0
    assert found["free_pictures"]["ciede2000_p95"] == 0
    assert found["answers"]["exact"] == 1
    assert found["reading"]["agreement"] == 1
    assert [pair.case.text for pair in pairs] == [*WORDS, "a tree"]
    assert all(pair.reference.tobytes() == pair.candidate.tobytes() for pair in pairs)


def test_tokens_of_answers_are_compared_teacher_forced(toy: Path, tmp_path: Path) -> None:
    worse = noisy(0.3)(WEIGHTS.text_head)  # rounding would make ties, which float32 and float64 break differently
    listed = toy_cases(toy, tmp_path, "a red car", "ask: where is it", "ask: a tree ?")
    bundle = open_bundle(damaged(toy, tmp_path / "worse", {"text_head": noisy(0.3)}))
    picture = Model.open(toy).paint_rows("a red car", temperature=0)
    *_, last = picture
    lines = [[*(FIRST_TOKEN + code for code in line), EOL] for line in last.codes.tolist()]
    shown = [*OPENER, *itertools.chain.from_iterable(lines), EOI]
    agreed, sure = [], []
    for words in ("where is it", "a tree ?"):
        sequence, same = [VOCABULARY["<bos>"], *shown, *ids(words)], []
        for _ in range(12):
            state = REFERENCE.hidden(sequence)[-1]
            logits = state @ WEIGHTS.text_head.astype(np.float64)
            token = int(logits.argmax())
            same.append(token == int((state @ worse.astype(np.float64)).argmax()))
            first, second = np.sort(softmax(logits))[::-1][:2]
            sure += same[-1:] * int(first >= 2 * second)
            if token == EOS:
                break
            sequence.append(token)
        agreed.append(same)

    found, _ = compare(Reference(Subject(open_bundle(toy)), listed), Subject(bundle))

    tokens = [same for answer in agreed for same in answer]
    assert 0 < np.mean(tokens) < 1
    assert 0 < len(sure) < len(tokens)
    assert found["answers"] == {
        "answers": 2,
        "exact": np.mean([all(answer) for answer in agreed]),
        "tokens": len(tokens),
        "token_agreement": pytest.approx(np.mean(tokens)),
        "decided": len(sure),
        "decided_agreement": pytest.approx(np.mean(sure)),
    }


def test_pictures_that_are_read_otherwise_are_noticed(toy: Path, tmp_path: Path) -> None:
    picture = Image.new("RGB", (4 * CELL, 4 * CELL))
    picture.paste((255, 255, 255), (0, 0, 4 * CELL, CELL))
    picture.save(tmp_path / "picture.png")
    blind = damaged(toy, tmp_path / "blind", {"image_tokenizer": filled(-1.0)})  # sees black everywhere
    listed = cases(open_bundle(toy).manifest, requests(tmp_path, "edit: a tree"), tmp_path, 1)

    found, _ = compare(Reference(Subject(open_bundle(toy)), listed), Subject(open_bundle(blind)))

    assert found["reading"] == {"codes": 16, "agreement": 0.75, "feature_sqnr_db": None}


def test_hidden_states_behind_the_layers_lead_to_the_last_one(tmp_path: Path) -> None:
    # a copy: `onnx.load` refuses files with several links, which installing a bundle makes
    bundle = open_bundle(Path(shutil.copytree(PICTUREBOOK, tmp_path / "picturebook")))
    names = layer_names(bundle)
    assert names == tuple(f"layer_output.{layer}" for layer in range(bundle.manifest.backbone.layers))
    (case, *_) = cases(bundle.manifest, None, None, 1)

    trace = Performer(bundle, names).teacher_forced(case, [])

    model: Any = onnx.load(bundle.path("backbone.onnx"))
    norm = next(node for node in model.graph.node if names[-1] in node.input and node.op_type == "RMSNormalization")
    (scale,) = (numpy_helper.to_array(one) for one in model.graph.initializer if one.name == norm.input[1])
    epsilon = next(attribute.f for attribute in norm.attribute if attribute.name == "epsilon")
    last = np.array(trace.layers[names[-1]], dtype=np.float64)
    expected = last / np.sqrt(np.mean(last**2, axis=-1, keepdims=True) + epsilon) * scale
    np.testing.assert_allclose(trace.hidden[1:], expected, atol=1e-4)
    assert trace.codes == Performer(bundle).teacher_forced(case, []).codes


def test_the_reason_why_layers_are_not_compared_is_given(toy: Path) -> None:
    assert why_no_layers(open_bundle(toy)) == "the backbone's graph does not name its layers"
    assert why_no_layers(open_bundle(PICTUREBOOK)) is None


def test_noise_between_the_layers_grows_towards_the_end() -> None:
    comparison = Comparison()
    states = [np.ones((1, 4), np.float32)] * 2
    reference, other = Trace(layers={"layer_output.0": states}), Trace(layers={"layer_output.0": states[:1] * 2})
    other.layers["layer_output.0"] = [state * 1.01 for state in states]
    comparison.add(reference, other)
    assert comparison.figures()["layer_sqnr_db"]["layer_output.0"] == pytest.approx(40.0, abs=1e-3)


def larger(tree: dict[str, Any]) -> None:
    tree["grid"]["cells"] = [1, 99]


def other_family(tree: dict[str, Any]) -> None:
    tree["family"] = "other"


def fewer_abilities(tree: dict[str, Any]) -> None:
    del tree["abilities"]["segment"]


@pytest.mark.parametrize(
    ("edit", "named"), [(larger, "grid"), (other_family, "family"), (fewer_abilities, "abilities")]
)
def test_bundles_of_different_models_are_refused(toy: Path, tmp_path: Path, edit: Any, named: str) -> None:
    other = open_bundle(rewritten(toy, tmp_path / "other", edit))
    reference = Reference(Subject(open_bundle(toy)), toy_cases(toy, tmp_path, WORDS[0]))
    with pytest.raises(BundleError, match=f"in another precision: {named} differ. Compare bundles of one checkpoint"):
        compare(reference, Subject(other))


def test_another_vocabulary_is_refused(toy: Path, tmp_path: Path) -> None:
    tokenizer = (toy / "tokenizer.json").read_bytes().replace(b"ugly", b"nice")
    other = open_bundle(rewritten(toy, tmp_path / "other", files={"tokenizer.json": tokenizer}))
    reference = Reference(Subject(open_bundle(toy)), toy_cases(toy, tmp_path, WORDS[0]))
    with pytest.raises(BundleError, match="vocabulary differ"):
        compare(reference, Subject(other))


def test_another_model_altogether_is_refused(toy: Path, tmp_path: Path) -> None:
    reference = Reference(Subject(open_bundle(toy)), toy_cases(toy, tmp_path, WORDS[0]))
    with pytest.raises(BundleError, match=r"family, codes, grid.* vocabulary, backbone differ"):
        compare(reference, Subject(open_bundle(PICTUREBOOK)))

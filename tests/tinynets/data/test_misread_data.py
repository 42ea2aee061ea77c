"""Data that could be misread are refused with a reason: pairs, dicts, masks, huge numbers, foreign arrays."""

from __future__ import annotations

from collections import UserList, deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynets as tn
from tinynets.data import arrays

X, Y = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]), np.array([[0.0], [1.0], [0.0]])


def lab(data: Any, loss: Any = None, **options: Any) -> tn.Lab:
    network = tn.Network([tn.Linear(2, 1)], seed=0, **options)
    return tn.Lab(network, data=data, loss=loss or tn.MSE(), optimizer=tn.SGD(0.1))


# -- pairs

POINT = st.tuples(st.floats(-1, 1), st.floats(-1, 1))
TARGETS: list[st.SearchStrategy[Any]] = [POINT, st.integers(0, 3), st.tuples(st.floats(-1, 1)), st.floats(-1, 1)]


@given(st.data(), st.sampled_from(TARGETS), st.booleans(), st.sampled_from([list, tuple, np.array]))
def test_a_list_of_examples_is_never_taken_for_x_and_y(
    data: st.DataObject, target: st.SearchStrategy[Any], weighted: bool, kind: Any
) -> None:
    one = st.tuples(POINT.map(kind), target, st.floats(0, 1)) if weighted else st.tuples(POINT.map(kind), target)
    pairs = data.draw(st.lists(one, min_size=1, max_size=6))
    for given_ in (pairs, tuple(pairs), [list(pair) for pair in pairs]):
        for whole in (given_, {"train": given_}):
            with pytest.raises(tn.DataError, match=r"examples? \(x, y"):
                lab(whole)
    with pytest.raises(tn.DataError, match=r"examples? \(x, y"):
        arrays({"train": pairs})


def test_what_can_mean_pairs_as_well_as_x_and_y_tells_both_meanings() -> None:
    for pairs in (
        [((0.1, 0.1), (0.2, 0.2)), ((0.3, 0.3), (0.6, 0.6))],
        [(0.1, 0.2), (0.3, 0.6)],
        [[[0.1], [0.2]], [[0.3], [0.6]]],
    ):
        with pytest.raises(tn.DataError, match=r"it can mean x and y of 2 examples, or 2 examples \(x, y\), one after"):
            lab(pairs)


def test_x_and_y_of_two_and_three_examples_are_still_data() -> None:
    assert len(lab(([[0.1, 0.2], [0.3, 0.4]], [1, 0])).data["train"][0]) == 2
    assert len(lab(([[0.1, 0.2], [0.3, 0.4]], [[1.0], [0.0]])).data["train"][0]) == 2
    assert len(lab((X.tolist(), Y.tolist(), [1, 2, 3])).data["train"][0]) == 3
    assert len(lab((X[:2], np.array([[0.1], [0.2]]))).data["train"][0]) == 2


# -- dicts


@pytest.mark.parametrize("x", ["x", "X", "inputs", "features", "X_train", "train_x", "Data", "images"])
@pytest.mark.parametrize("y", ["y", "Y", "targets", "labels", "y_train", "train_labels", "class"])
def test_a_dict_of_x_and_y_is_not_taken_for_splits(x: str, y: str) -> None:
    for data in ({x: X, y: Y}, {x: X.tolist(), y: Y.tolist()}, {x: X[:2].tolist(), y: Y[:2].tolist()}):
        with pytest.raises(tn.DataError, match="are no splits"):
            lab(data)
        with pytest.raises(tn.DataError, match="are no splits"):
            arrays(data)


def test_splits_keep_their_names() -> None:
    names = ["train", "dev", "test", "validation", "holdout", "train2", "all", "train_small"]
    assert list(lab(dict.fromkeys(names, (X, Y))).data.splits) == names


# -- masks


def places() -> list[Any]:
    x, y = np.ma.masked_less(X, 0.15), np.ma.masked_less(Y, 0.5)
    weight = np.ma.masked_less(np.array([1.0, -1.0, 1.0]), 0)
    return [
        (x, Y),
        (X, y),
        (X, Y, weight),
        ([x[0], x[1], x[2]], Y),
        ([[np.ma.masked, 0.2], [0.3, 0.4], [0.5, 0.6]], Y),
        {"train": (X, Y), "dev": (x, Y)},
        {"train": (X, Y), "dev": (X, Y, weight)},
        [x, Y],
        x,
    ]


@pytest.mark.parametrize("place", range(len(places())))
def test_masked_values_are_refused_wherever_they_stand(place: int) -> None:
    with pytest.raises(tn.DataError, match="masked value"):
        lab(places()[place])


def test_masked_values_are_refused_by_whatever_takes_numbers() -> None:
    x, net, running = np.ma.masked_less(X, 0.15), tn.Network([tn.Linear(2, 1, name="out")]), lab((X, Y))
    net.forward(X)
    calls = (
        lambda: net.forward(x),
        lambda: net.predict([x[0], x[1]]),
        lambda: net.backward(np.ma.masked_less(Y, 0.5)),
        lambda: net.intervene("out", add=np.ma.masked_all(1)),
        lambda: tn.MSE()(np.ma.masked_less(Y, 0.5), Y),
        lambda: tn.MSE()(Y, np.ma.masked_less(Y, 0.5)),
        lambda: tn.MSE()(Y, Y, np.ma.masked_less(np.array([1, -1, 1]), 0)),
        lambda: running.patch("linear1", input=x[0]),
        lambda: running.steer("linear1", values=np.ma.masked_all(1)),
        lambda: tn.u_matrix(np.ma.masked_all((2, 4)), (2, 2)),
        lambda: tn.quantization_error(np.ones((2, 4)), x),
    )
    for call in calls:
        with pytest.raises(tn.TinynetsError, match="masked value"):
            call()
    assert not running.log


def test_an_array_that_could_be_masked_and_is_not_is_data() -> None:
    assert lab((np.ma.masked_less(X, -1), Y)).data["train"][0].tolist() == X.tolist()


# -- numbers that the network's dtype cannot hold


@given(st.floats(3.5e38, 1e308), st.sampled_from([1, -1]), st.integers(0, 2))
def test_finite_numbers_beyond_float32_are_named_where_they_come_in(size: float, sign: int, row: int) -> None:
    x, y, weight = X.copy(), Y.copy(), np.ones(3)
    x[row, 1] = y[row, 0] = weight[row] = sign * size
    named = f"{sign * size:g}".replace("+", r"\+")
    for data in ((x, Y), (X, y), (X, Y, weight), {"train": (X, Y), "dev": (X, Y, weight)}):
        with pytest.raises(tn.DataError, match=f"{named} in row {row}.*float32 holds at most 3.40282e"):
            lab(data).evaluate()
    net = tn.Network([tn.Linear(2, 1)])
    for call in (net.forward, net.predict):
        with pytest.raises(tn.DataError, match=f"`x` has {named} in row {row}, column 1"):
            call(x)
    assert lab((x, Y), dtype="float64").data["train"][0][row, 1] == sign * size


def test_the_largest_number_of_float32_is_data() -> None:
    x = X.copy()
    x[0, 0] = np.finfo(np.float32).max
    assert np.isfinite(tn.Network([tn.Linear(2, 1)]).checked(x)).all()


# -- other libraries


class Foreign:
    """Like an array of another library that cannot be read now."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def fail(self, *_: Any, **__: Any) -> Any:
        raise self.error

    __array__ = __len__ = __iter__ = __getitem__ = fail


class ForeignDict(Mapping[str, Any]):
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __getitem__(self, key: str) -> Any:
        raise self.error

    def __len__(self) -> int:
        raise self.error

    def __iter__(self) -> Iterator[str]:
        raise self.error


class Silent(Exception):  # noqa: N818
    def __str__(self) -> str:
        raise RuntimeError("no words")


ERRORS = [RuntimeError("requires grad"), ValueError("odd"), TypeError("no"), KeyError(3), AssertionError(), OSError()]


@pytest.mark.parametrize(
    "error", [*ERRORS, MemoryError(), RecursionError(), Silent(), StopIteration(), AttributeError()]
)
def test_whatever_an_array_of_another_library_raises_comes_out_in_words(error: Exception) -> None:
    bad: Any = Foreign(error)
    data = [(bad, Y), (X, bad), (X, Y, bad), bad, ([bad, bad], Y), {"train": bad}, {"train": (X, Y), "dev": (X, bad)}]
    for each in [*data, ForeignDict(error)]:
        for loss in (tn.MSE(), tn.CrossEntropy(), lambda out, y: (0.0, out)):
            with pytest.raises(tn.TinynetsError):
                lab(each, loss)
    net = tn.Network([tn.Linear(2, 1)])
    net.forward(X)
    for call in (net.forward, net.predict, net.backward, tn.MSE(), lambda x: tn.MSE()(Y, x)):
        with pytest.raises(tn.DataError, match=type(error).__name__):
            call(bad)
    with pytest.raises(tn.EditError, match=type(error).__name__):
        lab((X, Y)).patch("linear1", input=bad)


class ForeignTuple(tuple[Any, ...]):
    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError("closed")

    def __len__(self) -> int:
        raise RuntimeError("closed")


def test_a_tuple_of_another_library_that_cannot_be_read_comes_out_in_words() -> None:
    bad = ForeignTuple((X, Y))
    for call in (lambda: lab(bad), lambda: lab({"train": bad}), lambda: arrays({"train": bad})):
        with pytest.raises(tn.DataError, match="RuntimeError: closed"):
            call()


def test_numbers_beyond_float64_are_named_as_they_are() -> None:
    if np.finfo(np.longdouble).max > 1e308:
        with pytest.raises(tn.DataError, match=r"`train x` has 1e\+309 in row 0, column 0; float64 holds"):
            lab((np.full((3, 2), 10, np.longdouble) ** 309, Y))


def test_numbers_alone_are_no_data() -> None:
    for data in ((0.1, 0.2), (X, 1.0), ("x", "y"), (None, None), ()):
        with pytest.raises(tn.TinynetsError):
            lab(data)


# -- in any container


class Rows:
    """A sequence of its own kind, which numpy accepts."""

    def __init__(self, rows: Any) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return self.rows[index]


HOLDERS: list[Any] = [list, tuple, deque, UserList, Rows, lambda rows: [deque(rows)]]


@pytest.mark.parametrize("holder", HOLDERS)
def test_masked_rows_are_found_in_every_kind_of_sequence(holder: Any) -> None:
    masked, net = np.ma.masked_less(X, 0.15), tn.Network([tn.Linear(2, 1)])
    net.forward(X)
    loss = tn.MSE()
    for call in (
        lambda: lab((holder(masked), Y)),
        lambda: lab((X, holder(masked[:, :1]))),
        lambda: lab((X, Y, holder(masked[:, 0]))),
        lambda: arrays(holder(masked), Y),
        lambda: net.predict(holder(masked)),
        lambda: loss(holder(masked), X),
        lambda: loss(X, holder(masked)),
        lambda: tn.grad_check(net, holder(masked)),
    ):
        with pytest.raises(tn.DataError, match="masked value"):
            call()


@pytest.mark.parametrize("holder", [deque, UserList, Rows])
def test_rows_without_masks_are_data_in_every_kind_of_sequence(holder: Any) -> None:
    assert (lab((holder(X), Y)).data["train"][0] == X).all()


def test_a_masked_vector_does_not_make_a_network() -> None:
    for name in ("theta", "carried"):
        vectors = {"theta": np.zeros(3, np.float32), "carried": np.zeros(0, np.float32)}
        vectors[name] = np.ma.masked_all(max(1, len(vectors[name])), np.float32)
        with pytest.raises(tn.DataError, match=f"`{name}` has . masked value"):
            tn.Network([tn.Linear(2, 1)], **vectors)


class Proxy:
    """Like a lazy proxy that cannot say yet what it is."""

    def fail(self) -> Any:
        raise RuntimeError("not bound")

    __class__ = property(fail)  # type: ignore[assignment]
    __repr__ = fail


def test_a_stand_in_that_cannot_say_what_it_is_comes_out_in_words() -> None:
    bad: Any = Proxy()
    for data in (bad, (bad, Y), (X, bad), (X, Y, bad), {"train": bad}, {"train": (bad, Y)}):
        with pytest.raises(tn.TinynetsError):
            lab(data)


@pytest.mark.parametrize("error", [RuntimeError("requires grad"), KeyError(3), AssertionError(), Silent()])
def test_foreign_arrays_are_told_by_all_that_is_called_by_hand(error: Exception) -> None:
    bad: Any = Foreign(error)
    calls = (
        lambda: lab((X, Y)).predict(bad),
        lambda: tn.grad_check(tn.Tanh(), bad),
        lambda: tn.grad_check(tn.MSE(), bad, Y),
        lambda: tn.Network([tn.Linear(2, 1)], theta=bad),
        lambda: tn.MSE()(X, X, bad),
    )
    for call in calls:
        with pytest.raises(tn.TinynetsError, match=type(error).__name__):
            call()


class Speechless:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def test_a_loss_or_optimizer_that_is_none_is_refused_whatever_it_says_of_itself() -> None:
    bad: Any = Speechless()
    network = tn.Network([tn.Linear(2, 1)])
    for options in ({"loss": bad, "optimizer": "sgd"}, {"loss": "mse", "optimizer": bad}):
        with pytest.raises(tn.RecipeError, match="must be"):
            tn.Lab(network, data=(X, Y), **options)


def test_a_loss_called_by_hand_takes_real_numbers_alone() -> None:
    for out, y, weight in ((Y * 1j, Y, None), (Y.astype(str), Y, None), (Y, Y, [1j] * 3), (Y, Y, ["1"] * 3)):
        for loss in (tn.MSE(), tn.BinaryCrossEntropy()):
            with pytest.raises(tn.ShapeError, match="takes numbers, not"):
                loss(out, y, weight)
    with pytest.raises(tn.ShapeError, match="takes numbers, not"):
        tn.grad_check(lambda out, y: (float((out - y).sum()), np.ones_like(out)), Y, Y * 1j)

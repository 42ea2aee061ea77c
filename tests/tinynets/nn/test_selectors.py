"""Selectors: one grammar; a selector that names nothing gives an error that lists what exists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.selectors import ParameterSelector, select, select_learned

NETWORK = tn.Network(
    [
        tn.Embedding(27, 10, name="embed"),
        tn.Flatten(name="flatten"),
        tn.Linear(30, 200, name="hidden"),
        tn.Tanh(),
        tn.Linear(200, 1, name="output"),
    ],
    input_shape=(3,),
)


@settings(max_examples=60)
@given(st.sets(st.integers(0, 199), min_size=1), st.booleans())
def test_a_selector_written_out_selects_the_same_again(units: set[int], pre: bool) -> None:
    site = "hidden.pre" if pre else "hidden"
    selector = select(NETWORK, f"{site}[{','.join(map(str, units))}]")
    assert selector.units == tuple(sorted(units))
    assert (selector.site, selector.pre) == (site, pre)
    assert select(NETWORK, str(selector)) == selector


@settings(max_examples=60)
@given(st.integers(0, 29), st.integers(1, 30), st.integers(0, 199), st.integers(1, 200))
def test_a_selector_of_weights_written_out_selects_the_same_again(
    row: int, rows: int, column: int, columns: int
) -> None:
    text = f"hidden.w[{row}:{min(row + rows, 30)},{column}:{min(column + columns, 200)}]"
    selector = select_learned(NETWORK, text)
    again = select_learned(NETWORK, str(selector))
    assert isinstance(selector, ParameterSelector)
    assert isinstance(again, ParameterSelector)
    assert str(again) == str(selector)
    assert again.places(NETWORK).tolist() == selector.places(NETWORK).tolist()


@pytest.mark.parametrize(
    ("text", "units", "short"),
    [
        ("hidden[3]", [3], "hidden[3]"),
        ("hidden[0:8]", range(8), "hidden[0:8]"),
        ("hidden[:3]", range(3), "hidden[0:3]"),
        ("hidden[197:]", range(197, 200), "hidden[197:200]"),
        ("hidden[:]", range(200), "hidden"),
        ("hidden", range(200), "hidden"),
        ("hidden[1,5,9]", [1, 5, 9], "hidden[1,5,9]"),
        ("hidden[ 9 , 1 , 5:7 ]", [1, 5, 6, 9], "hidden[1,5,6,9]"),
        ("hidden[3,3]", [3], "hidden[3]"),
        (" hidden[0:2] ", [0, 1], "hidden[0,1]"),
        ("hidden.pre[3]", [3], "hidden.pre[3]"),
        ("embed[9]", [9], "embed[9]"),
        ("output[0]", [0], "output"),
    ],
)
def test_what_selectors_stand_for(text: str, units: Any, short: str) -> None:
    selector = select(NETWORK, text)
    assert selector.units == tuple(units)
    assert str(selector) == short


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hidden[200]", "`hidden[200]`: `hidden` has 200 units, 0 to 199"),
        ("hidden[0:201]", "`hidden[0:201]`: `hidden` has 200 units, 0 to 199"),
        ("hidden[999999999]", "`hidden[999999999]`: `hidden` has 200 units, 0 to 199"),
        ("hidden[-1]", "`hidden[-1]`: `-1` is neither a unit's number nor a range like 0:8"),
        ("hidden[a]", "`hidden[a]`: `a` is neither a unit's number nor a range like 0:8"),
        ("hidden[1.5]", "`hidden[1.5]`: `1.5` is neither a unit's number nor a range like 0:8"),
        ("hidden[1:2:3]", "`hidden[1:2:3]`: `1:2:3` is neither a unit's number nor a range like 0:8"),
        ("hidden[]", "`hidden[]` names no unit; `hidden` has 200 units, 0 to 199"),
        ("hidden[1,]", "`hidden[1,]` names no unit; `hidden` has 200 units, 0 to 199"),
        ("output[]", "`output[]` names no unit; `output` has 1 unit, 0"),
        ("output[1]", "`output[1]`: `output` has 1 unit, 0"),
        ("hidden[5:5]", "`hidden[5:5]` names no unit: 5:5 is empty"),
        ("hidden[8:3]", "`hidden[8:3]` names no unit: 8:3 is empty"),
        (
            "hiden[3]",
            "`hiden` is not a block of this network, which has embed, flatten, hidden, output; did you mean `hidden`?",
        ),
        (
            "hidden[٣]",
            "`hidden[٣]`: `٣` is neither a unit's number nor a range like 0:8",
        ),
        ("tanh1[3]", "`tanh1` is not a block of this network, which has embed, flatten, hidden, output"),
        ("flatten[0]", "`flatten` has no units of its own; blocks with units: embed, hidden, output"),
        ("output.pre[0]", "`output.pre[0]`: `output` has no activation, so nothing comes before it"),
        ("embed.pre", "`embed.pre`: `embed` has no activation, so nothing comes before it"),
        ("hidden.w[4,3]", "`hidden.w[4,3]` selects parameters; units are selected as `hidden[3]`"),
        ("hidden.post[3]", "`hidden.post[3]`: `hidden` has no part `post`, only `pre`, `w`, `b`"),
        (
            "hidden[3",
            "`hidden[3` is not a selector; they read `hidden[3]`, `hidden[0:8]`, `hidden[1,5]`, `hidden.pre[3]`, "
            "`rnn[5]@t=3`",
        ),
        (
            "",
            "`` is not a selector; they read `hidden[3]`, `hidden[0:8]`, `hidden[1,5]`, `hidden.pre[3]`, `rnn[5]@t=3`",
        ),
        (3, "a selector is text like `hidden[3]`, not 3"),
        (None, "a selector is text like `hidden[3]`, not None"),
    ],
)
def test_what_names_nothing_is_refused_with_what_there_is(says: Callable[..., Any], text: Any, message: str) -> None:
    with says(tn.SelectorError, message):
        select(NETWORK, text)


@settings(max_examples=200)
@given(st.text(alphabet="hiden.pre[]0123456789:,- \n", max_size=20))
def test_no_text_raises_anything_but_a_selector_error(text: str) -> None:
    try:
        selector = select(NETWORK, text)
    except tn.SelectorError:
        return
    assert selector.units

"""The rules of arithmetic that a run follows, so that a run recorded by an earlier version replays to the same bits.

A run keeps the rules that it began with: they stand in its settings (`Hyper.rules`), its save and its digests. A save
that names none follows the first ones. Code that computes otherwise than it once did asks `rules > FIRST`.

From the second rules on: sigmoids (as activation, in SiLU, GELU, gates and binary cross-entropy) and the slope of ELU
keep the digits of their tails, as does a cross-entropy that is nearly 0; norms take their mean in two steps; distances
and their gradients are computed in float64; a recurrent unit or head that is multiplied by 0 is 0, whatever it was; a
stream of more rows than examples holds all of them. Adam counts the updates of each parameter, and a schedule its
steps from where it was set. The probe is drawn from its split, noise is drawn by the place in it, and examples of
weight 0 are not judged. `zero` on a recurrent unit acts within the recurrence too, `swap` takes along all that belongs
to a unit, `sign_flip` turns what the symmetry of its layer wants.
"""

from __future__ import annotations

FIRST = 1
CURRENT = 2

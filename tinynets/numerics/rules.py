"""Rules: the version of the arithmetic that a run follows, so that an older run replays to the same bits.

A run keeps the rules that it began with: they are in its settings (`Hyper.rules`), its save and its digests. A save
that names none follows the first ones. Code whose arithmetic has changed checks `rules > FIRST`.

Since the second rules: sigmoids (as activation, in SiLU, GELU, gates and binary cross-entropy) and the slope of ELU are
precise in their tails, and so is a cross-entropy near 0; norms compute their mean in two steps; distances and their
gradients are computed in float64; a recurrent unit or head that is multiplied by 0 is 0, whatever it was; a stream with
more rows than examples holds all of them. Adam counts updates per parameter, and a schedule counts its steps from where
it was set. The probe is drawn from its split, noise is drawn by the place in the split, and examples of weight 0 do not
count for the accuracy. `zero` on a recurrent unit also acts inside the recurrence, `swap` moves everything that belongs
to a unit, and `sign_flip` flips what the symmetry of its layer requires.
"""

from __future__ import annotations

FIRST = 1
CURRENT = 2

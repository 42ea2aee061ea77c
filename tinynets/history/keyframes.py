"""Kept states: keyframes along the branches within a memory budget, and a ring of states near the present moment."""

from __future__ import annotations

from tinynets.history.branch import Branch
from tinynets.history.moment import Moment
from tinynets.training.state import State

BUDGET = 256 * 2**20  # bytes of keyframes
RING = 64  # states kept near the present moment, one for each step
RING_SHARE = 8  # the ring takes at most 1 / RING_SHARE of the budget


class KeyframeStore:
    """The kept states of all branches of a timeline: decides where to keep one, which to drop, and which is closest.

    Keyframes belong to the branches, which share them; here they are counted. States in the ring belong to it alone.
    """

    def __init__(self, branches: dict[int, Branch], budget: int = BUDGET) -> None:
        self.branches, self.budget = branches, budget
        self.stride = 128
        """Steps from one keyframe to the next."""
        self.least_stride = 1
        """The stride that the budget allows."""
        self.ring: dict[Moment, State] = {}
        self.bytes = self.ring_bytes = 0
        self.recount()

    def closest(self, target: Moment) -> tuple[Moment, State]:
        """The kept State, in a keyframe or the ring, with the fewest steps to the target."""
        branch = self.branches[target.branch]
        step, edits = branch.nearest(target.step, target.edits)
        best, state = Moment(target.branch, step, edits), branch.keyframes[step, edits]
        for moment, kept in self.ring.items():
            if moment.branch == target.branch and best < moment <= target and moment.edits <= target.edits:
                best, state = moment, kept
        return best, state

    def wants_keyframe(self, moment: Moment) -> bool:
        """Whether a keyframe is due at this moment and not there yet."""
        return (
            moment.step % self.stride == 0 and (moment.step, moment.edits) not in self.branches[moment.branch].keyframes
        )

    def keep(self, moment: Moment, state: State) -> None:
        """Keep a keyframe; when all together exceed the budget, the stride doubles."""
        self.branches[moment.branch].keep((moment.step, moment.edits), state)
        self.bytes += state.nbytes()
        while self.bytes > self.budget and self.stride < 2**40:
            self.least_stride = self.stride = 2 * self.stride
            for branch in self.branches.values():
                branch.thin(self.stride)
            self.recount()

    def set_stride(self, steps: float) -> None:
        """Place keyframes roughly `steps` apart (a power of two), or further apart to stay within the budget."""
        near = 2 ** (int(min(max(steps, 8), 2**16)).bit_length() - 1)
        self.stride = max(near, self.least_stride)

    def recount(self) -> None:
        """Recount the bytes of all keyframes; shared ones count once."""
        self.bytes = sum({id(s): s.nbytes() for b in self.branches.values() for s in b.keyframes.values()}.values())

    # -- the ring

    def keep_in_ring(self, moment: Moment, state: State) -> None:
        """Keep a State in the ring; the oldest one drops out."""
        self._drop_from_ring(moment)
        self.ring[moment] = state
        self.ring_bytes += state.nbytes()
        while len(self.ring) > RING or (len(self.ring) > 2 and self.ring_bytes > self.budget // RING_SHARE):
            self._drop_from_ring(next(iter(self.ring)))

    def empty_ring(self, branch: int) -> None:
        """Drop the states of a branch from the ring."""
        for moment in [moment for moment in self.ring if moment.branch == branch]:
            self._drop_from_ring(moment)

    def _drop_from_ring(self, moment: Moment) -> None:
        state = self.ring.pop(moment, None)
        if state is not None:
            self.ring_bytes -= state.nbytes()

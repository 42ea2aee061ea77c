"""Server: a Lab in its own process, like a notebook's kernel: commands go in, results and frames come out.

    to the server      ("call", id, verb, args, kwargs)  ("view", View)  ("ack", frame number)  ("cancel",)
                       ("quit",)  ("leave",)
    from the server    ("result", id, value)  ("error", id, kind, message)  ("progress", id, Progress)
                       ("frame", Frame)  ("said", message, severity)

One frame is sent per acknowledgement, at most `View.frame_rate` a second while running, and one at once after every
command. The server ends when its pipe closes, so that it is never orphaned, however its parent ended. Everything done
is in a journal (see storage/journal.py), which only `quit` discards: then the person was asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from time import perf_counter
from typing import Any

from tinynets.errors import EditError, TinynetsError
from tinynets.foreign_text import printable
from tinynets.jobs import Job, at_once
from tinynets.lab.lab import Lab
from tinynets.lab.reports import PauseReport
from tinynets.lab.verbs import verb_called
from tinynets.measure.lens_names import AUTO
from tinynets.measure.worth import Worth
from tinynets.server.activity import Activity, Playback, StepRate
from tinynets.server.bell import Bell
from tinynets.server.frame import Frame, View
from tinynets.server.frame_builder import FrameBuilder

SAMPLE_SECONDS = 1.0
PROGRESS_SECONDS = 0.1
SLICE = 0.002
PLAY_SECONDS = 20.0  # seconds to play a whole history, when no speed is given

KEPT = ("journal", "memory")
"""Options of the server rather than the source: they hold for sources opened later as well."""


class Server:
    """The server's loop: one command at a time, a run or a playback between commands, and frames on request."""

    def __init__(
        self,
        connection: Connection,
        source: str,
        options: dict[str, Any],
        bell: Bell | None = None,
        *,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        """`clock` gives the seconds for playback."""
        self.connection = connection
        self._bell = bell or Bell()
        self._clock = clock
        self.view = View()
        self.shown = False
        self._calls: deque[tuple[int, str, tuple[Any, ...], dict[str, Any]]] = deque()
        self._job: _Job | None = None
        self._frames = 0
        self._acked = True
        self._wanted: float | None = 0.0  # when a frame is due; None: nothing new to show
        self._ended = False
        self.asked_to_quit = False
        self._kept = {"journal": True} | {name: options[name] for name in KEPT if name in options}
        self._mount(source, options)

    def _mount(self, source: str, options: dict[str, Any]) -> None:
        self.lab = Lab(source, **options | self._kept)
        self.lab.hear(self._tell)
        self._frame_builder = FrameBuilder.of(self.lab)
        self._run: Job[str] | None = None
        self._play: Playback | None = None
        self._run_from = self._ran = 0
        self._rate = StepRate()
        self._note = "; ".join(self.lab.warnings)
        self._last_frame = self._last_samples = 0.0
        self._reported: set[str] = set()

    # -- the loop

    def loop(self) -> None:
        while not self._ended:
            self.turn()

    def turn(self) -> None:
        """Read messages, do one piece of work, and send a frame."""
        self._listen()
        if self._job is None and self._calls:
            self._begin(*self._calls.popleft())
        if self._job is not None:
            self._advance(self._job)
        elif self._run is not None:
            self._advance_run(self._run)
        elif self._play is not None:
            self._advance_play(self._play)
        self._show()

    def _listen(self) -> None:
        """Read the messages that have arrived; wait for one if there is nothing to do."""
        seconds: float | None = None
        if self._job or self._calls or self._run:
            seconds = 0.0
        elif self._play is not None:
            seconds = max(0.0, self._play.due - self._clock())
        elif self._wanted is not None and self._acked:
            seconds = max(0.0, self._wanted - perf_counter())
        while self._heard(seconds):
            self._take(self.connection.recv())
            seconds = 0.0
            if self._ended:
                return

    def _heard(self, seconds: float | None) -> bool:
        """Wait this many seconds for a message; returns whether one has arrived. A ringing bell counts as `leave`."""
        arrived = wait([self.connection, *self._bell.heard], seconds)
        if self._bell.rung:
            self._take(("leave",))
        return self.connection in arrived and not self._ended

    def _take(self, message: tuple[Any, ...]) -> None:
        match message:
            case ("call", identity, verb, args, kwargs):
                if verb == "pause" and self._job is not None:  # the command at work would not notice otherwise
                    self._cancel()
                self._calls.append((identity, verb, tuple(args), dict(kwargs)))
            case ("view", view):
                if view != self.view:
                    self.view = view
                    self._want()
            case ("ack", number):
                self._acked = self._acked or number >= self._frames
            case ("cancel",):
                self._cancel()
            case ("quit" | "leave" as how,):
                self._stop()
                self._ended, self.asked_to_quit = True, how == "quit"

    # -- commands

    def _begin(self, identity: int, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        known = verb_called(verb)
        going_on = self._run is not None and known is not None and known.lets_run
        self._stop()
        self._note = ""
        own: dict[str, Callable[..., Any]] = {
            "start": self._start,
            "pause": self._pause,
            "play": self._begin_play,
            "open": self._open,
        }
        if verb in own:
            self._job = _Job(identity, verb, at_once(own[verb], args, kwargs), False, False)
        else:
            takes_steps = known is not None and known.takes_steps
            self._job = _Job(identity, verb, self.lab.work(verb, args, kwargs), going_on, takes_steps)

    def _advance(self, job: _Job) -> None:
        """Work on a command for a moment; answer it when it is done."""

        begun = perf_counter()
        try:
            while perf_counter() - begun < SLICE:
                progress = next(job.work)
                self._rate.note(self.lab.step_number)
                if begun - job.begun > 2 * PROGRESS_SECONDS and begun - job.told > PROGRESS_SECONDS:
                    job.told = begun
                    self.connection.send(("progress", job.identity, progress))
                    self._want()
        except StopIteration as stop:
            self._answer(job, ("result", job.identity, stop.value))
        except TinynetsError as error:
            self._answer(job, ("error", job.identity, type(error).__name__, str(error)))
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:  # a bug is reported, and the lab goes on
            self._answer(job, ("error", job.identity, "InternalError", f"internal error in `{job.verb}`: {error!r}"))

    def _answer(self, job: _Job, message: tuple[Any, ...]) -> None:
        self._job = None
        if isinstance(message[-1], Worth):
            self._frame_builder.worths.keep(message[-1], self.lab.player)
        self.lab.flush()  # what is reported as done must not be lost
        if job.resume and message[0] == "result":
            self._start()
        self.connection.send(message)
        self._want()

    def _cancel(self) -> None:
        """Stop the command at work; what it has done is kept, at a whole moment."""
        cancelled = [(identity, verb) for identity, verb, _, _ in self._calls]
        self._calls.clear()
        if self._job is not None:
            job, self._job = self._job, None
            job.work.close()
            self.lab.flush()
            cancelled.insert(0, (job.identity, job.verb))
        for identity, verb in cancelled:
            message = f"cancelled `{verb}` at step {self.lab.step_number:,}"
            self.connection.send(("error", identity, "Cancelled", message))
        self._stop()
        self._want()

    def _stop(self) -> None:
        """End a run or a playback between two steps."""
        self._ran = self.lab.step_number - self._run_from if self._run is not None else 0
        if self._run is not None:
            self._run.close()
            self.lab.flush()
        self._run = self._play = None
        self._rate = StepRate()

    def _start(self) -> str:
        self._run, self._run_from = self.lab.free_run(), self.lab.step_number
        return "running"

    def _pause(self) -> PauseReport:
        return PauseReport(self.lab.step_number, self._ran)

    def _open(self, source: str) -> str:
        before = self.lab
        self._mount(source, {})
        before.close(discard=True)  # the person was asked about its unsaved work
        opened = f"opened {printable(source)}: step {self.lab.step_number:,} of {self.lab.end:,}"
        return "; ".join([opened, *self.lab.warnings])

    def _tell(self, message: str, severity: str = "warning") -> None:
        """Send a message from the lab to the person."""
        with suppress(OSError):  # the app may be gone
            self.connection.send(("said", message, severity))

    def _begin_play(self, speed: float | None = None, *, backward: bool = False) -> str | PauseReport:
        is_number = isinstance(speed, int | float) and not isinstance(speed, bool)
        if speed is not None and not (is_number and abs(speed) <= 1e9):  # NaN fails this too
            raise EditError(f"`speed` must be a number of steps a second, not {speed!r}")
        if speed == 0:
            return self._pause()
        usual = max(5.0, self.lab.end / PLAY_SECONDS)
        speed = (-usual if backward else usual) if speed is None else speed
        if self.lab.end == 0 or (speed > 0 and self.lab.step_number >= self.lab.end):
            raise EditError("there is nothing recorded beyond this step; `P` or `play -5` plays backward")
        if speed < 0 and self.lab.step_number == 0:
            raise EditError("there is nothing recorded before step 0")
        self.lab.player.need_data()
        self._play = Playback(speed, self.lab.step_number, self._clock())
        return f"playing {'forward' if speed > 0 else 'backward'}, {abs(speed):,.0f} steps a second"

    # -- between commands

    def _advance_run(self, run: Job[str]) -> None:
        try:
            next(run)
            self._rate.note(self.lab.step_number)
        except StopIteration as stop:  # at a breakpoint
            self._stop()
            self.connection.send(("said", f"stopped at {stop.value}; at step {self.lab.step_number:,}", "warning"))
            self._want()
        except TinynetsError as error:
            self._stop()
            self._note = str(error)
            self.connection.send(("said", str(error), "error"))
        self._want(self._last_frame + 1 / self.view.frame_rate)

    def _advance_play(self, play: Playback) -> None:
        """Move along the recorded steps, to where the clock says."""
        now = self._clock()
        if now < play.due:
            return
        wanted = round(play.first + play.speed * (now - play.begun))
        target = min(max(wanted, 0), self.lab.end)
        for _ in self.lab.work("seek", (target,), {}):
            pass
        play.due = self._clock() + 1 / self.view.frame_rate
        if target != wanted or target == (self.lab.end if play.speed > 0 else 0):
            self._play = None
        self._want()

    # -- frames

    def _want(self, when: float = 0.0) -> None:
        """Ask for a frame at a time (0: at once)."""
        self._wanted = when if self._wanted is None else min(self._wanted, when)

    def _show(self) -> None:
        now = perf_counter()
        if self._wanted is None or not self._acked or now < self._wanted:
            return
        quick = self._run is not None or self._play is not None or self._job is not None
        renew = not quick or now - self._last_samples > SAMPLE_SECONDS
        if renew:
            self._last_samples = now
        self._frames += 1
        self._acked = False
        self._wanted = None
        self._last_frame = now
        self.connection.send(("frame", self._frame(renew)))
        self.shown = True

    def _frame(self, renew: bool) -> Frame:
        """What there is to see; a bug in what is looked at is reported, and the rest is shown."""
        builder, activity = self._frame_builder, self._activity()
        try:
            return builder.frame(self.view, self._frames, activity, renew_samples=renew)
        except Exception as error:
            plain = replace(self.view, panes=(), lens=AUTO, own=None, split="")
            made = builder.frame(plain, self._frames, activity, renew_samples=False)  # where this fails too, it ends
            if repr(error) not in self._reported:
                self._reported.add(repr(error))
                self._tell(f"internal error in what is shown: {error!r}", "error")
            return made

    def _activity(self) -> Activity:
        if self._run is not None:
            return Activity("running", self._rate.value, self._note)
        if self._job is not None and self._job.takes_steps:
            return Activity("running", self._rate.value, self._note)
        if self._play is not None:
            return Activity("playing" if self._play.speed > 0 else "rewinding", abs(self._play.speed), self._note)
        return Activity("paused", 0.0, self._note)


@dataclass
class _Job:
    """A command at work."""

    identity: int
    verb: str
    work: Job[Any]
    resume: bool
    """Whether a run goes on when it is done."""
    takes_steps: bool
    """Whether the engine is running while it works."""
    begun: float = 0.0
    told: float = 0.0

    def __post_init__(self) -> None:
        self.begun = perf_counter()

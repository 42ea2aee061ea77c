"""The lab in a terminal: what each action does. The registry in `actions.py` says which keys call them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.screen import Screen
from textual.widgets import Input

from tinynets.errors import unwritable
from tinynets.server.frame import FROZEN, PANES, Status
from tui import actions
from tui.actions import Action
from tui.core import NOTHING_OPEN
from tui.model.answers import lines_of, message_for
from tui.render.drawing import clip_words
from tui.surgery import RELEASED, Surgery
from tui.widgets.command_line import CommandLine
from tui.widgets.header import Tabs
from tui.widgets.loss import LossPane

if TYPE_CHECKING:
    from tinynets.lab.command_line import Call
    from tinynets.lab.verb import Verb


class LabApp(Surgery):
    """The app: `LabCore` holds the screen and the engine, `TimeTravel` moves in time, `Surgery` operates on units."""

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette, from the registry of actions and the command line's verbs."""
        from tinynets.lab.verbs import VERBS

        for action in actions.ACTIONS:
            if action.palette:
                title = f"{action.help}  ({action.shown_key})"
                yield SystemCommand(title, action.group, lambda a=action: self._from_palette(a))
        for verb in VERBS.values():
            title = f":{verb.name}  {verb.help}"
            yield SystemCommand(title, TYPED, lambda v=verb: self.call_later(self.begin_line, v))

    def _from_palette(self, action: Action) -> None:
        self.call_later(self.run_action, action.command)

    def begin_line(self, verb: Verb) -> None:
        """Do a verb that needs nothing more said; open the command line on one that does, or could."""
        if verb.asks:
            self.action_command(f"{verb.name} ")
        else:
            self.run_line(verb.name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Screens that open over the lab keep tab for their own fields; where nothing can be seen, only `q` acts."""
        if not self.room and action != "leave":
            return False
        if action == "command" and isinstance(self.focused, Input):
            return False
        return not (action in ("next_pane", "command") and len(self.screen_stack) > 1)

    # -- running

    def action_run_or_pause(self) -> None:
        status = self.lab_status
        if status and status.mode != "paused":
            self.do("pause")
        else:
            self.do("start")

    def action_step(self, n: int) -> None:
        self.do("step", *([n] if n != 1 else []))

    def action_ask_steps(self) -> None:
        self.ask_count("Steps to train", "100", lambda n: self.do("step", n))

    def action_phase(self) -> None:
        self.do("phase")

    def action_evaluate(self) -> None:
        self.do("evaluate")

    def action_cancel(self) -> None:
        """The innermost thing first: the command line, work, a run, the zoom."""
        if self.command_line.display:
            self.close_command_line()
        elif self.link and self.link.busy:
            self.link.cancel()
        elif self.desk.wish.zoom:
            self.action_zoom()
        elif self.lab_status and self.lab_status.mode != "paused":
            self.do("pause")

    # -- looking

    def action_move(self, right: int, down: int) -> None:
        pane = self.active_pane
        chosen = pane.moved(right, down)
        if chosen is None and pane.NAME not in ("network", "weights", "activations"):
            chosen = self.panes["network"].moved(right, down)
        if chosen:
            self.on_pane_chosen(chosen)

    def action_example(self, by: int) -> None:
        self.select(example=self.selection.example + by)

    def action_pane(self, name: str) -> None:
        self.pick_pane(name)

    def on_tabs_picked(self, message: Tabs.Picked) -> None:
        self.pick_pane(message.pane)

    def action_next_pane(self, by: int) -> None:
        if self.command_line.display:
            self.command_line.complete()
            return
        at = PANES.index(self.desk.wish.active)
        self.pick_pane(PANES[(at + by) % len(PANES)])

    def action_zoom(self) -> None:
        self.desk.ask(replace(self.desk.wish, zoom=not self.desk.wish.zoom))
        self.active_pane.focus()

    def action_log(self) -> None:
        pane = self.panes["loss"]
        assert isinstance(pane, LossPane)
        self.status.say(pane.toggle_log())

    # -- the command line

    def action_command(self, text: str = "") -> None:
        self.ask_on_line(text, 0)

    def ask_on_line(self, text: str, asked: int) -> None:
        self.keys.display = False
        self.command_line.open(text, asked)
        self.status.say(hint(text, self.status.room))

    def close_command_line(self) -> None:
        self.command_line.close()
        self.keys.display = True
        self.screen.set_focus(self.active_pane)
        self.status.say("")

    def on_command_line_entered(self, message: CommandLine.Entered) -> None:
        self.close_command_line()
        if message.text:
            self.run_line(message.text)

    def on_command_line_edited(self, message: CommandLine.Edited) -> None:
        self.status.say(hint(message.text, self.status.room))

    def run_line(self, text: str) -> None:
        """Parse a line of the API's verbs and send it."""
        from tinynets.errors import TinynetsError
        from tinynets.lab.command_line import parse
        from tinynets.lab.verbs import verb_called

        try:
            call = parse(text)
        except TinynetsError as error:
            self.fail(str(error))
            return
        if call.verb == "recover":
            self.action_recover()
        elif call.verb == "open" and len(call.args) == 1:
            self._opened(call.args[0])
        elif call.verb == "drop" and len(call.args) == 1 and isinstance(call.args[0], str):
            self.ask_drop(call.args[0])
        elif call.verb == "save" and not call.args:
            self.action_save()
        elif call.verb == "save" and isinstance(call.args[0], str):
            self.run_worker(self._save_to(call.args[0]), exit_on_error=False)
        elif call.verb in ("tree", "bookmarks"):
            self._show_tree(call.verb)
        elif (verb := verb_called(call.verb)) and verb.read:
            self.run_worker(self._list(call.verb), exit_on_error=False)
        else:
            self.run_worker(self._call(call), exit_on_error=False)

    def _show_tree(self, verb: str) -> None:
        pins = self.lab_frame.timeline.pins if self.lab_frame else ()
        if verb == "bookmarks" and not pins:
            self.status.say("bookmarks: nothing yet; m makes one", "lab.bookmarks")
        else:
            self.action_tree(f"bookmark {pins[0].name}" if verb == "bookmarks" else "")

    async def _call(self, call: Call) -> None:
        """Send a call; what it gives is shown in a screen of its own where the status line has no room for it."""
        value = await self.done(call.verb, *call.args, **call.kwargs)
        if value is False:
            return
        from tinynets.lab.command_line import Call
        from tinynets.lab.verbs import verb_called

        if call.verb == "compare":
            from tui.screens.compare import CompareScreen

            self.push_screen(CompareScreen(value, call.python()))
            return
        if call.verb == "explain":
            from tui.screens.explain import ExplainScreen

            self.push_screen(ExplainScreen(value, self.explain, self.splits))
            return
        lines = lines_of(value)
        whole = self.status.whole(message_for(call.verb, value))
        verb = verb_called(call.verb)
        if not whole and (len(lines) > 1 or (verb is not None and verb.shows)):
            from tui.screens.entries import EntriesScreen

            how = "script FILE writes it" if call == Call("script") else ""
            self.push_screen(EntriesScreen(call.python(), lines, how))

    def compare(self, name: str) -> None:
        """Compare the current branch with another."""
        from tinynets.lab.command_line import Call

        self.run_worker(self._call(Call("compare", (name,))), exit_on_error=False)

    async def _list(self, verb: str) -> None:
        """Show the entries of what a lab keeps a list of."""
        from tui.screens.entries import EntriesScreen

        found = await self.done(verb)
        if found:
            self.push_screen(EntriesScreen(f"lab.{verb}", lines_of(found)))

    def complete(self, text: str) -> list[str]:
        from tui.model.completion import completions

        return completions(text, self.lab_frame)

    # -- saves and the app

    def action_save(self) -> None:
        self.run_worker(self._save_and(), exit_on_error=False)

    def action_save_as(self) -> None:
        self.run_worker(self._save_as(), exit_on_error=False)

    async def _save_as(self) -> bool:
        """Ask for a name and save under it; whether that was done."""
        from tui.screens.ask import AskScreen

        status = self.lab_status
        path = status.path or status.named_path if status else ""
        title = f"Save as ({Path(path).name} is read-only here)" if status and status.read_only else "Save as"
        default = "" if unwritable(path) else path  # a name that is no text cannot be typed
        chosen = await self.push_screen_wait(AskScreen(title, default, "a path ending in .msgpack"))
        return bool(chosen and await self._save_to(chosen))

    async def _save_to(self, path: str) -> bool:
        """Save to a file, asked for first where that is another's; whether that was done."""
        from tui.screens.overwrite import OverwriteScreen, in_the_way

        status = self.lab_status
        file, holds = await asyncio.to_thread(in_the_way, path, status.path if status else "")
        if file and not await self.push_screen_wait(OverwriteScreen(file, holds)):
            self.status.say(f"not saved: `{file}` stays as it was")
            return False
        return bool(await self.done("save", path))

    def action_open(self) -> None:
        from tui.screens.open import OpenScreen

        self.push_screen(OpenScreen(), self._opened)

    def _opened(self, source: str | None) -> None:
        if not source:
            return
        if self.link is None or not self.link.alive:
            self.reconnect(source)
        else:
            self._leaving("open", lambda: self.do("open", source))

    def opened(self) -> None:
        """Offer what an earlier lab left behind, where nothing else is asked at the moment."""
        self.run_worker(self._offer_recovery(), exit_on_error=False)

    def action_recover(self) -> None:
        self.run_worker(self._offer_recovery(asked=True), exit_on_error=False)

    async def _offer_recovery(self, asked: bool = False) -> None:
        from tinynets.storage.recovery import recoverable
        from tui.screens.recover import RecoverScreen

        found = await asyncio.to_thread(recoverable)
        if found and (asked or len(self.screen_stack) == 1):
            self.push_screen(RecoverScreen(found), lambda entry: self._opened(str(entry.file) if entry else None))
        elif asked:
            self.status.say("there is nothing to recover")

    def action_restart(self) -> None:
        if self.link is not None and self.link.alive:
            self.status.say("the engine is running: R is for when it has ended")
            return
        if self._refused:
            self.fail(NOTHING_OPEN)
            return
        self.reconnect(self.restart_source())

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen())

    def action_leave(self) -> None:
        self._leaving("quit", self._quit)

    def _quit(self) -> None:
        self.quit_for_good = True
        self.exit()

    def _leaving(self, verb: str, then: Callable[[], object]) -> None:
        """Do what leaves the run that is open; ask before, where it is not saved."""
        status = self.lab_status
        if status is None or not status.unsaved or self.link is None or not self.link.alive:
            then()
            return
        from tui.screens.leave import LeaveScreen

        def answered(answer: str | None) -> None:
            if answer == "go":
                then()
            elif answer == "save":
                self.run_worker(self._save_and(then), exit_on_error=False)

        self.push_screen(LeaveScreen(status, verb), answered)

    async def _save_and(self, then: Callable[[], object] = lambda: None) -> None:
        """Save, under another name where this one is not ours to write, and go on when it is done."""
        status = self.lab_status
        asks = status is not None and (status.read_only or bool(status.named_path))
        if await (self._save_as() if asks else self.done("save")):
            then()

    async def action_quit(self) -> None:
        self.action_leave()

    # -- what the row of keys says

    def key_bar_actions(self) -> list[Action]:
        found = actions.footer_actions()
        if self.link is not None and not self.link.alive and not self._refused:
            return [actions.BY_ID["restart"], *found]
        return with_travel(found, self.lab_status)

    def label_of(self, action: Action) -> str:
        """The label of a key, by what it would do now."""
        status = self.lab_status
        if action.id == "run":
            return "pause" if status and status.mode != "paused" else "run"
        if action.id == "zero":
            return "release" if self.unit_now.output in RELEASED else "zero"
        if action.id == "freeze":
            return "unfreeze" if self.unit_now.frozen == FROZEN else "freeze"
        if action.id in ("play", "rewind") and status and status.mode == MODES[action.id]:
            return "pause"
        if action.id == "phase" and status and status.next_phase and status.phase:
            return f"phase: {status.next_phase}"
        if action.id == "zoom":
            return "all panes" if self.desk.wish.zoom else "zoom"
        return action.label


def with_travel(found: list[Action], status: Status | None) -> list[Action]:
    """The row of keys with those that matter while the recorded run plays, or in the past, behind the second of it."""
    if status is None:
        return found
    more = ["end"] if status.step < status.end else []
    if status.mode in MODES.values():
        more = ["slower", "faster", "rewind" if status.mode == "playing" else "play"]
    added = [actions.BY_ID[name] for name in more]
    return [*found[:2], *added, *(action for action in found[2:] if action not in added)]


MODES = {"play": "playing", "rewind": "rewinding"}


def hint(text: str, room: int) -> str:
    """What the status line says while a command is typed, in so many letters."""
    from tui.model.completion import usage

    return clip_words(usage(text) or COMMAND_HINT, room)


TYPED = "On the command line"
COMMAND_HINT = "type a verb: zero hidden[3], lr 0.01, seek 200; tab completes, escape closes"

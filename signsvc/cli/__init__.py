"""The command line: settings in, one story a command, exit codes out."""

from __future__ import annotations

import gc
import signal
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

import click

from signsvc.cli.usage import in_chinese
from signsvc.errors import Exit, SignsvcError, reason

# Where each command lives; it is loaded when it is called, so that a lookup need not wait for a converter.
COMMANDS = {
    "init": "operating",
    "sign": "issuing",
    "check": "issuing",
    "refuse": "refusing",
    "verify": "verifying",
    "lookup": "verifying",
    "revoke": "recording",
    "suspend": "recording",
    "resume": "recording",
    "supersede": "recording",
    "copy": "recording",
    "log": "recording",
    "template": "issuing",
    "policy": "policing",
    "catalogue": "listing",
    "doctor": "operating",
    "serve": "serving",
    "witness": "witnessing",
    "apikey": "keeping",
}


class Group(click.Group):
    """A mistake of the user is one line on stderr and an exit code, never a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(_loaded(f"signsvc.cli.{COMMANDS[cmd_name]}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["standalone_mode"] = False
        # Ended by the system as by the user: what is open is closed, and what lies in the work folder is wiped.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            sys.exit(super().main(*args, **kwargs) or 0)
        except SignsvcError as error:
            fail(error.code, str(error), error.exit)
        except click.exceptions.Abort:
            fail("aborted", "已中止", Exit.UNUSABLE)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(Exit.UNUSABLE)
        except click.ClickException as error:
            fail("usage", in_chinese(error), Exit.UNUSABLE)
        except OSError as error:
            # A folder that cannot be written, a full disk: what was committed stands, and a rerun goes on.
            where = f" {error.filename}" if error.filename else ""
            fail("system_error", f"{reason(error)}{where}", Exit.UNUSABLE)


def _loaded(name: str) -> ModuleType:
    """The module. What comes with it stays: nothing of it is looked through for garbage, neither while it is loaded,
    which would take a tenth longer, nor later."""
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def fail(code: str, message: str, status: int) -> None:
    click.echo(f"error: {code}: {' '.join(message.split())}", err=True)
    sys.exit(status)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="signsvc")
def main() -> None:
    """基层群众性自治组织证明：填写、盖章、登记、查验。"""

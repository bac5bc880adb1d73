"""What is wrong with how a command was typed, in Chinese: click tells it in English."""

from __future__ import annotations

import click

_MEANT = ((click.DateTime, "应为 YYYY-MM-DD 的日期"), (type(click.INT), "应为整数"))
# These two have no class of their own: click tells them by their text only.
_UNNAMED = ("No such command", "Got unexpected extra argument")


def in_chinese(error: click.ClickException) -> str:
    """One line for the user; a mistake that is told in our own words already stays as it is."""
    match error:
        case click.MissingParameter():
            return f"缺少 {_name(error.param)}"
        case click.BadParameter():
            return f"{_name(error.param)} 写得不对{_meant(error.param)}"
        case click.NoSuchOption():
            near = f"，是否为 {'、'.join(error.possibilities)}" if error.possibilities else ""
            return f"没有选项 {error.option_name}{near}"
        case click.BadOptionUsage():
            return f"选项 {error.option_name} 的写法不对：是否缺少它的值，或多写了值"
        case click.UsageError(message=text, ctx=click.Context() as typed) if text.startswith(_UNNAMED):
            return _command(typed)
        case _:
            return error.format_message()


def _name(param: click.Parameter | None) -> str:
    """As it is typed: `--on`, `LIST`."""
    if param is None:
        return "参数"
    return param.opts[0] if isinstance(param, click.Option) else param.human_readable_name


def _meant(param: click.Parameter | None) -> str:
    kind = param.type if param else None
    if isinstance(kind, click.Choice):
        return f"：应为 {'、'.join(map(str, kind.choices))}"
    if isinstance(kind, click.IntRange):
        return f"：应为 {kind.min} 至 {kind.max} 的整数"
    found = next((text for of, text in _MEANT if isinstance(kind, of)), "")
    return f"：{found}" if found else ""


def _command(typed: click.Context) -> str:
    """A command that there is not, or more words than the command takes."""
    if isinstance(typed.command, click.Group):
        known = "、".join(typed.command.list_commands(typed))
        return f"没有这个命令：{typed.command_path} 的命令有 {known}"
    return f"参数太多：用法见 {typed.command_path} --help"

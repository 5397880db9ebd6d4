"""Dialogs: scripted conversations, played on a playground and held against transcripts."""

from engine.dialogs.player import Player, begin, play
from engine.dialogs.stage import DialogFailed, Stage

__all__ = ["DialogFailed", "Player", "Stage", "begin", "play"]

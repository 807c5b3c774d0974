"""The process that plays a backtest for the daemon: a job on its standard input, lines of JSON on its standard output.

It reads the rules on disk itself, so that not even that costs the engine a moment.
"""

from __future__ import annotations

import os
import pickle
import sys

import msgspec

from firewatch.app.backtests import Answer, Job
from firewatch.backtest.result import BacktestRequest, DatabaseHistory
from firewatch.backtest.run import run_backtest
from firewatch.config.problem import ProblemsError
from firewatch.config.project import load_project
from firewatch.errors import FirewatchError

_LEAST_URGENT = 19
_SHOWN_STEPS = 200


def play(job: Job) -> Answer:
    """Play it, telling how far it is."""
    told = -1

    def tell(share: float) -> None:
        nonlocal told
        step = int(share * _SHOWN_STEPS)
        if step > told:
            told = step
            say(Answer(progress=share))

    try:
        project = load_project(job.settings)
        request = BacktestRequest(
            history=DatabaseHistory(job.history),
            inventory=project.inventory,
            rules=project.rules,
            start=job.start,
            end=job.end,
            against=job.running,
            name=job.settings.rules.as_posix(),
            against_name="recorded" if job.running is None else "live",
        )
        return Answer(result=msgspec.Raw(msgspec.json.encode(run_backtest(request, tell))))
    except (FirewatchError, ProblemsError) as error:
        return Answer(error=f"{error}"[:2000])


def say(answer: Answer) -> None:
    """Write one line."""
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Play the job on standard input."""
    os.nice(_LEAST_URGENT)
    say(play(pickle.loads(sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()

"""The command line: parses, calls, prints.

Modules that import torch, nbgrader or matplotlib are imported by the command that needs them.
"""

import argparse
import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.errors import AutograderError, UsageError
from autograder.plain_text import plain

if TYPE_CHECKING:
    from autograder.course import Course
    from autograder.recorder import ClassResult
    from autograder.sheets import Sheet

_DESCRIPTION = "Release, grade and report the exercise sheets of the course."
_EPILOG = """exit status: 0 done; 1 something failed; 2 wrong usage.
'autograder COMMAND --help' explains one command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except AutograderError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain again when it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("autograder: interrupted; finished verdicts are kept", file=sys.stderr)
        return 1
    finally:
        gc.freeze()  # or Python would look for garbage in all that was imported: a second


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "autograder",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        return sub

    sub = command("release", _release, "make the students' notebooks")
    _add_sheets(sub)
    sub.add_argument("--course", type=Path, metavar="DIR", help="also set up this course folder")
    sub.add_argument(
        "--database",
        metavar="URL",
        help="where a new course keeps its gradebook: postgresql://USER:PASSWORD@HOST/DATABASE "
        "(default: a file in the course folder)",
    )

    sub = command("grade", _grade, "grade all submissions that are new or changed")
    _add_sheets(sub)
    _add_course(sub)
    _add_jobs(sub)
    _add_sandbox(sub)
    sub.add_argument(
        "--cluster", metavar="ADDRESS", help="grade on the workers of this Dask scheduler"
    )
    sub.add_argument(
        "--json", action="store_true", help="print one verdict a line and nothing else"
    )

    sub = command("try", _try, "grade a plain Python file as if a student had typed it")
    sub.add_argument("sheet", metavar="SHEET")
    sub.add_argument(
        "file",
        type=Path,
        metavar="FILE.py",
        help="files that the sheet asks for are looked for beside it",
    )
    sub.add_argument("--json", action="store_true", help="print the verdict as JSON")
    sub.add_argument(
        "--allow-shortcuts",
        action="store_true",
        help="let library calls through that the sheet forbids",
    )
    _add_sandbox(sub)

    sub = command(
        "verify",
        _verify,
        "prove the tests of a sheet: reference, blank, wrong and right answers, mutants",
    )
    _add_sheets(sub)
    _add_jobs(sub)
    sub.add_argument("--json", action="store_true", help="print a list with one entry a sheet")
    sub.add_argument(
        "--fresh", action="store_true", help="grade again what has not changed since last time"
    )

    sub = command("feedback", _feedback, "write HTML feedback for every graded submission")
    _add_sheets(sub)
    _add_course(sub)

    sub = command("report", _report, "write the class report: scores, and what the class got wrong")
    _add_sheets(sub)
    _add_course(sub)

    sub = command("due", _due, "set or show due dates, and extensions of single students")
    sub.add_argument("sheets", nargs="?", metavar="SHEET", help="without one, all are shown")
    sub.add_argument(
        "time", nargs="?", metavar="TIME", help="such as 2026-10-01T23:59+02:00; 'none' for never"
    )
    _add_course(sub)
    sub.add_argument(
        "--student", nargs="+", metavar="ID", help="who is given the --extension", default=[]
    )
    sub.add_argument(
        "--extension", metavar="LENGTH", help="more time: 2d, 36h, 1w2d or 90m; 0 takes it back"
    )

    sub = command("export", _export, "print grades as CSV")
    _add_sheets(sub)
    _add_course(sub)
    sub.add_argument("--format", choices=("plain", "canvas", "moodle"), default="plain")
    sub.add_argument(
        "--output", type=Path, metavar="FILE", help="write to a file instead of printing"
    )
    sub.add_argument(
        "--roster",
        type=Path,
        metavar="FILE",
        help="CSV that Canvas or Moodle exported: its students, in its columns "
        "(plain: a column 'student')",
    )
    sub.add_argument(
        "--missing",
        choices=("empty", "zero"),
        default="empty",
        help="what stands where nothing was handed in (default: empty)",
    )
    sub.add_argument(
        "--strict",
        action="store_true",
        help="export nothing while answers wait to be graded by hand",
    )

    sub = command(
        "bundle", _bundle, "make the students' zip: notebooks, detseg, data, requirements"
    )
    sub.add_argument("--output", type=Path, metavar="FILE", default=Path("build/bundle.zip"))

    sub = command("doctor", _doctor, "say whether this machine can lock students' code in")
    sub.add_argument("--json", action="store_true", help="print what was found as a list")

    sub = command("demo-class", _demo_class, "make up a class of 24 submissions to a sheet")
    sub.add_argument("sheet", metavar="SHEET")
    _add_course(sub)
    return parser


def _add_sheets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sheets", nargs="*", metavar="SHEET", help="names of sheets; all where none is given"
    )


def _add_course(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--course",
        type=Path,
        default=Path("course"),
        metavar="DIR",
        help="course folder (default: course)",
    )


def _add_sandbox(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-sandbox",
        action="store_true",
        help="run students' code with your own rights; every verdict says so",
    )


def _warn_of_no_sandbox(options: argparse.Namespace) -> None:
    if options.no_sandbox:
        print(
            "autograder: warning: no sandbox: this code can read and change what you can. "
            'Verdicts say "sandbox": "none".',
            file=sys.stderr,
        )


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    parser.add_argument(
        "--jobs",
        type=_positive,
        default=cores,
        metavar="N",
        help=f"how many at a time (default: {cores})",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"a whole number above 0 is expected, not '{text}'")
    return int(text)


def _sheets(options: argparse.Namespace) -> "list[Sheet]":
    from autograder.sheets import load_sheets

    return load_sheets(options.sheets)


def _release(options: argparse.Namespace) -> int:
    from autograder.course import Course
    from autograder.release import release

    if options.database and not options.course:
        raise UsageError("--database needs the course folder: --course DIR")
    sheets = _sheets(options)
    for path in release(sheets):
        print(path)
    if options.course:
        course = Course(options.course)
        with course.locked():
            if options.database:
                course.use_database(options.database)
            for sheet in sheets:
                course.prepare(sheet)
        print(f"course folder: {course.root}")
    return 0


def _start_early(options: argparse.Namespace) -> None:
    """Where something was never graded: importing torch takes seconds, and so does what we need."""
    from autograder import engine

    submitted, graded = options.course / "submitted", options.course / "autograded"
    for folder in submitted.glob("*/*"):
        is_asked_for = not options.sheets or folder.name in options.sheets
        if is_asked_for and not (graded / folder.relative_to(submitted) / "digest.txt").exists():
            engine.start(locked=not options.no_sandbox)
            return


def _grade(options: argparse.Namespace) -> int:
    if options.cluster is None:
        _start_early(options)
    gc.disable()  # importing would otherwise take a quarter longer

    from autograder.course import Course
    from autograder.grade_class import grade_class

    gc.freeze()
    gc.enable()
    course, sheets = Course(options.course), _sheets(options)
    _warn_of_no_sandbox(options)
    started = time.monotonic()
    result = grade_class(
        course,
        sheets,
        jobs=options.jobs,
        cluster=options.cluster,
        locked=not options.no_sandbox,
        # A bar would run into the lines of JSON where both go to the same terminal.
        progress=not (options.json and sys.stdout.isatty()),
        on_verdict=_print_json_line if options.json else lambda _: None,
    )
    for line in result.failure_lines():
        print(line, file=sys.stderr)
    if not options.json:
        for line in result.flag_lines():
            print(line)
    summary = _grade_summary(result, course, sheets, time.monotonic() - started)
    print(summary, file=sys.stderr if options.json else sys.stdout)
    return 1 if result.failed else 0


def _grade_summary(
    result: "ClassResult", course: "Course", sheets: "list[Sheet]", seconds: float
) -> str:
    if result.graded or result.recovered or result.failed:
        before = f"{result.recovered} graded before and now recorded, " if result.recovered else ""
        return (
            f"{result.graded} graded, {before}{result.unchanged} unchanged, "
            f"{len(result.failed)} failed in {seconds:.0f} s; "
            f"verdicts in {course.root / 'autograded'}"
        )
    if result.unchanged:
        return f"nothing to do: all {result.unchanged} were graded before and have not changed"
    names = ", ".join(sheet.name for sheet in sheets)
    where = course.root / "submitted" / "<student>" / "<sheet>" / "<sheet>.ipynb"
    return f"nothing to do: no submission to {names}; expected at {where}"


def _print_json_line(verdict: dict[str, Any]) -> None:
    print(json.dumps(verdict, ensure_ascii=False), flush=True)


def _try(options: argparse.Namespace) -> int:
    from autograder import answers
    from autograder.grading import grade_rebuilt
    from autograder.sheets import load_sheets
    from autograder.submission import Submission

    (sheet,) = load_sheets([options.sheet])
    _warn_of_no_sandbox(options)
    try:
        source = options.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{options.file}: {error}") from error
    answer = answers.from_file(sheet, source, str(options.file))
    beside = Submission(options.file.stem, sheet.name, options.file.parent)
    verdict = grade_rebuilt(
        sheet,
        answers.typed_in(sheet, answer),
        student=options.file.stem,
        files=beside.read_files(sheet.files),
        allow_shortcuts=options.allow_shortcuts,
        locked=not options.no_sandbox,
    ).verdict
    print(json.dumps(verdict, indent=1, ensure_ascii=False) if options.json else _as_text(verdict))
    return 0


def _as_text(verdict: dict[str, Any]) -> str:
    lines = [
        f"{check['verdict']:8} {check['points']:g}/{check['max_points']:g}  {check['id']}"
        + (f": {check['message']}" if check["message"] else "")
        for check in verdict["checks"]
    ]
    lines += [f"flag     {flag['kind']}: {flag['detail']}" for flag in verdict["flags"]]
    return "\n".join([*lines, f"{verdict['score']:g} of {verdict['max_score']:g} points"])


def _verify(options: argparse.Namespace) -> int:
    from autograder.verify import verify

    results = [verify(sheet, jobs=options.jobs, fresh=options.fresh) for sheet in _sheets(options)]
    if options.json:
        print(json.dumps(results, indent=1, ensure_ascii=False))
    else:
        print("\n".join(line for result in results for line in _verify_lines(result)))
    return 0 if all(result["ok"] for result in results) else 1


def _verify_lines(result: dict[str, Any]) -> list[str]:
    mutants = result["mutants"]
    lines = [f"{result['sheet']}: {'as expected' if result['ok'] else 'NOT AS EXPECTED'}"]
    for row in result["answers"]:
        mark = "ok " if row["actual"] == row["expected"] else "BAD"
        lines.append(f"  {mark} {row['kind']:9} {row['name']:60} {row['score']:g}  {row['actual']}")
    lines.append(
        f"  mutants: {mutants['killed']} of {mutants['total']} noticed, "
        f"{mutants['equivalent']} equivalent, {len(mutants['survived'])} survived"
    )
    for mutant in mutants["survived"]:
        lines.append(
            f"  BAD survived in {mutant['exercise']}: {mutant['before']}  →  {mutant['after']}"
        )
    lines += [f"  no mutants of {name}: {why}" for name, why in mutants["without"].items()]
    for entry in mutants["stale"]:
        lines.append(
            "  BAD equivalent.yaml names a mutant that does not survive: "
            f"{entry['before']}  →  {entry['after']}"
        )
    return lines


def _feedback(options: argparse.Namespace) -> int:
    from autograder.course import Course
    from autograder.feedback import write_feedback

    course, sheets = Course(options.course), _sheets(options)
    course.count_penalties(sheets)
    count = sum(len(write_feedback(course, sheet)) for sheet in sheets)
    if not count:
        raise AutograderError(f"nothing graded in {course.root}: run 'autograder grade' first")
    print(f"{count} pages in {course.root / 'feedback'}")
    return 0


def _report(options: argparse.Namespace) -> int:
    from autograder.course import Course
    from autograder.report import write_report

    course = Course(options.course)
    graded = [sheet for sheet in _sheets(options) if options.sheets or course.verdicts(sheet.name)]
    if not graded:
        raise AutograderError(f"nothing graded in {course.root}: run 'autograder grade' first")
    for sheet in graded:
        print(write_report(course, sheet))
    return 0


def _due(options: argparse.Namespace) -> int:
    from autograder.course import Course
    from autograder.due import due, extend, parse_duration, parse_time, set_due
    from autograder.sheets import load_sheets

    course = Course(options.course)
    if not options.sheets:
        for sheet in load_sheets([]):
            with contextlib.suppress(AutograderError):
                print(f"{sheet.name}: {due(course, sheet.name)}")
        return 0
    if bool(options.student) != (options.extension is not None):
        raise UsageError("--student and --extension belong together")
    (sheet,) = load_sheets([options.sheets])
    date = parse_time(options.time) if options.time and options.time != "none" else None
    extension = parse_duration(options.extension) if options.extension is not None else None
    with course.locked():
        course.prepare(sheet)
        if options.time:
            set_due(course, sheet.name, date)
        if extension is not None:
            extend(course, sheet.name, options.student, extension)
        if options.time or extension is not None:
            course.count_penalties([sheet])
    print(plain(f"{sheet.name}: {due(course, sheet.name)}"))
    return 0


def _export(options: argparse.Namespace) -> int:
    from autograder.course import Course
    from autograder.export import as_csv, collect, table, unfinished, unmatched
    from autograder.roster import read_roster

    sheets = _sheets(options)
    course = Course(options.course)
    course.count_penalties(sheets)
    grades = collect(course, sheets)
    roster = read_roster(options.roster, options.format, grades) if options.roster else None
    remarks = unfinished(grades, sheets)
    if remarks and options.strict:
        raise AutograderError("\n".join(["nothing exported, grades are unfinished", *remarks]))
    missing = "0" if options.missing == "zero" else ""
    text = as_csv(table(grades, sheets, options.format, roster=roster, missing=missing))
    if options.output:
        draft = options.output.with_name(f"{options.output.name}.new")
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(options.output)
        print(options.output)
    else:
        sys.stdout.write(text)
    for line in remarks + (unmatched(grades, roster) if roster else []):
        print(plain(line), file=sys.stderr)
    return 0


def _bundle(options: argparse.Namespace) -> int:
    from autograder.bundle import make_bundle

    print(make_bundle(options.output))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from autograder.doctor import can_isolate, examine_machine

    findings = examine_machine()
    able = can_isolate(findings)
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
        return 0 if able else 1
    for finding in findings:
        print(f"{'ok     ' if finding.ok else 'MISSING'} {finding.name}: {finding.detail}")
        if not finding.ok:
            print(f"        {finding.remedy}")
    print(
        "Students' code can be locked in on this machine."
        if able
        else "Students' code cannot be locked in on this machine; grading refuses."
    )
    return 0 if able else 1


def _demo_class(options: argparse.Namespace) -> int:
    from autograder.demo import make_class
    from autograder.sheets import load_sheets

    (sheet,) = load_sheets([options.sheet])
    print(f"{len(make_class(sheet, options.course))} submissions in {options.course / 'submitted'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

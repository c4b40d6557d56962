"""Expands recurrence rules by another implementation: `recurrences.py dateutil|libical`.

Reads lines `DTSTART RRULE FROM TO` (times like 20261122T090000, UTC) and prints the starts from FROM until before TO, or
`error` and why, one line for each.
"""

import sys
from datetime import datetime

FORM = "%Y%m%dT%H%M%S"


def by_dateutil(start, rule, first, end):
    from dateutil.rrule import rrulestr

    # A naive start wants a naive UNTIL.
    recurrences = rrulestr(rule.replace("Z", ""), dtstart=datetime.strptime(start, FORM))
    first, end = datetime.strptime(first, FORM), datetime.strptime(end, FORM)
    for at in recurrences.xafter(first, inc=True):
        if at >= end:
            return
        yield at.strftime(FORM)


def by_libical(start, rule, first, end):
    import gi

    gi.require_version("ICalGLib", "3.0")
    from gi.repository import ICalGLib

    iterator = ICalGLib.RecurIterator.new(
        ICalGLib.Recurrence.new_from_string(rule), ICalGLib.Time.new_from_string(start + "Z")
    )
    at = iterator.next()
    while at is not None and not at.is_null_time():
        text = at.as_ical_string().rstrip("Z")
        if text >= end:
            return
        if text >= first:
            yield text
        at = iterator.next()


expand = {"dateutil": by_dateutil, "libical": by_libical}[sys.argv[1]]
for line in sys.stdin:
    try:
        print(",".join(expand(*line.split())))
    except Exception as e:
        print("error", type(e).__name__, e)

"""Prints what the Python package icalendar makes of calendar files, one line of JSON each."""

import json
import sys
from datetime import timedelta, timezone

from icalendar import Calendar


def seconds(time):
    assert time.utcoffset() == timedelta(0), f"{time} is not in UTC"
    return int(time.astimezone(timezone.utc).timestamp())


def listed(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def text(component, name):
    value = component.get(name)
    return None if value is None else str(value)


def event(component):
    start, end = component.decoded("dtstart"), component.decoded("dtend")
    alarms = []
    for alarm in component.walk("VALARM"):
        trigger = alarm["trigger"]
        alarms.append(seconds((end if trigger.params.get("RELATED") == "END" else start) + trigger.dt))
    return {
        "kind": "VEVENT",
        "uid": text(component, "uid"),
        "sequence": component.decoded("sequence"),
        "status": text(component, "status"),
        "start": seconds(start),
        "end": seconds(end),
        "created": seconds(component.decoded("created")),
        "modified": seconds(component.decoded("last-modified")),
        "summary": text(component, "summary"),
        "description": text(component, "description"),
        "organizer": text(component, "organizer"),
        "attendees": [f"{a.params['CN']} {a.params['PARTSTAT']}" for a in listed(component.get("attendee"))],
        "alarms": alarms,
    }


def free_busy(component):
    return {
        "kind": "VFREEBUSY",
        "uid": text(component, "uid"),
        "start": seconds(component.decoded("dtstart")),
        "end": seconds(component.decoded("dtend")),
        "busy": [
            f"{p.params['FBTYPE']} {seconds(p.start)} {seconds(p.end)}" for p in listed(component.get("freebusy"))
        ],
    }


for file in sys.argv[1:]:
    with open(file, "rb") as stream:
        calendar = Calendar.from_ical(stream.read())
    print(
        json.dumps(
            {
                "method": text(calendar, "method"),
                "components": [event(c) for c in calendar.walk("VEVENT")]
                + [free_busy(c) for c in calendar.walk("VFREEBUSY")],
            }
        )
    )

// Prints what ical.js makes of calendar files, one line of JSON each.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const seconds = (time) => {
  if (time.zone !== ICAL.Timezone.utcTimezone) throw new Error(`${time} is not in UTC`);
  return time.toUnixTime();
};
const value = (component, name) => component.getFirstPropertyValue(name)?.toString() ?? null;

function event(component) {
  const start = component.getFirstPropertyValue("dtstart");
  const end = component.getFirstPropertyValue("dtend");
  return {
    kind: "VEVENT",
    uid: value(component, "uid"),
    sequence: component.getFirstPropertyValue("sequence"),
    status: value(component, "status"),
    start: seconds(start),
    end: seconds(end),
    created: seconds(component.getFirstPropertyValue("created")),
    modified: seconds(component.getFirstPropertyValue("last-modified")),
    summary: value(component, "summary"),
    description: value(component, "description"),
    organizer: value(component, "organizer"),
    attendees: component.getAllProperties("attendee").map((p) => `${p.getParameter("cn")} ${p.getParameter("partstat")}`),
    alarms: component.getAllSubcomponents("valarm").map((alarm) => {
      const trigger = alarm.getFirstProperty("trigger");
      return seconds(trigger.getParameter("related") === "END" ? end : start) + trigger.getFirstValue().toSeconds();
    }),
  };
}

function freeBusy(component) {
  return {
    kind: "VFREEBUSY",
    uid: value(component, "uid"),
    start: seconds(component.getFirstPropertyValue("dtstart")),
    end: seconds(component.getFirstPropertyValue("dtend")),
    busy: component.getAllProperties("freebusy").flatMap((property) =>
      property.getValues().map((period) => `${property.getParameter("fbtype")} ${seconds(period.start)} ${seconds(period.end)}`)),
  };
}

for (const file of process.argv.slice(2)) {
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(file, "utf8")));
  console.log(JSON.stringify({
    method: value(calendar, "method"),
    components: [
      ...calendar.getAllSubcomponents("vevent").map(event),
      ...calendar.getAllSubcomponents("vfreebusy").map(freeBusy),
    ],
  }));
}

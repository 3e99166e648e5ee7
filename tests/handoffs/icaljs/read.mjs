// Reads calendars with ical.js: a JSON list of texts comes in, for each what the client finds in it, or why it refuses it, goes out.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const ICAL = createRequire(process.argv[2] + "/")("ical.js");

function moment(time) {
  if (!time.isDate && time.zone !== ICAL.Timezone.utcTimezone) throw new Error(`not in UTC: ${time}`);
  return time.toString();
}

function eventOf(component) {
  const event = new ICAL.Event(component, { strictExceptions: true });
  return {
    uid: event.uid,
    sequence: event.sequence,
    starts: moment(event.startDate),
    ends: moment(event.endDate),
    seconds: event.duration.toSeconds(),
    summary: event.summary,
    description: event.description,
    cancelled: component.getFirstPropertyValue("status") === "CANCELLED",
    attendees: event.attendees.map((attendee) => attendee.getFirstValue()),
  };
}

function calendarOf(text) {
  try {
    const calendar = new ICAL.Component(ICAL.parse(text));
    const method = calendar.getFirstPropertyValue("method");
    return { method, events: calendar.getAllSubcomponents("vevent").map(eventOf) };
  } catch (error) {
    return { refused: String(error) };
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(calendarOf)));

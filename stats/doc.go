// Package stats counts what happened, in slots of time, so that a chart of a month is a
// few rows and not a scan of deliveries. It has no I/O: the log writes and reads its rows.
//
//	Series   of what: a project, an endpoint of it, an event type of it
//	Cell     the counts of a series in one slot of time
//	Book     what a commit adds, by series and minute
//	Row      the cells of a series in a stretch of time, as it is stored
//	Level    how long slots and rows are: minutes for two days, hours for five
//	         weeks, days for three years
//
// A delivery is counted under the minute in which it was created, by the state it is in
// now: when its state changes it leaves one count of that minute for another, however
// much later that is. An attempt is counted under the minute in which it ended, by its
// result and by how long it took.
package stats

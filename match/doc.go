// Package match decides which events a subscription wants: by type, and by
// conditions on an event's body, headers, query and path. Both are compiled
// once and are then safe for any number of goroutines.
//
// # Types
//
// A list of types matches an event type if one of its entries does:
//
//   - every type
//     invoice.paid    exactly this one, with its case
//     invoice.*       a glob, because it has one of * ? [ in it
//     regex:v[0-9]+   a regular expression (RE2) for the whole type
//
// In a glob, * stands for any text, with dots, and none; ? for one character;
// [abc], [a-z] for one of these and [!abc] or [^abc] for one that is none of
// them. There is no escape character: [*] is a star.
//
// # Filters
//
// A filter has up to four parts, body, headers, query and path, each a JSON
// object of conditions in Convoy's language. All conditions of all parts must
// hold.
//
//	{"type": "created"}                        equality
//	{"user": {"plan": "gold"}}                 the same as
//	{"user.plan": "gold"}                      a path
//	{"user.plan": ["gold", "silver"]}          one of these
//	{"amount": {"$gte": 10, "$lt": 20}}        operators, which must all hold
//	{"$or": [{"a": 1}, {"b": {"$exist": false}}]}
//	{"items.$.id": 7}                          any element of an array
//	{"items.0.id": 7}                          its first element
//
// The names of a path are separated by dots. A member whose own name has dots
// is found too. A number counts as a position in an array, and as a name in an
// object. Each $ stands for any element of an array; a path has at most
// MaxWildcards of them, and does not end in one. Conditions look for an element
// each on their own. Of two members of one name the last counts.
//
// The operators, and their operands:
//
//	$eq, $neq             a text, number, true, false, null, or an array of these, compared whole
//	$in, $nin             an array of texts, numbers, true, false, null, with at least one
//	$gt, $gte, $lt, $lte  a number, or a text, which compares by its bytes
//	$exist                true or false: whether the path leads to a value, null being one
//	$regex                RE2; found anywhere in a text unless it has ^ and $
//	$and, $or             an array of objects of conditions, with at least one
//
// What a path leads to meets a condition as a whole or, if it is an array, by
// one of its elements: {"tags": "new"} holds for {"tags": ["old", "new"]}. The
// opposites are exact: $neq, $nin and {"$exist": false} hold where $eq, $in and
// {"$exist": true} do not, so that no element may be equal, and so that they
// hold for a path that leads nowhere. Every other condition on such a path
// fails; Convoy skips it.
//
// Numbers compare exactly, as the decimals that they are: no digit of a large
// integer or of a price is lost. Types are not converted, with one exception:
// headers, query and path are texts, and there a text that spells a JSON number,
// true or false is equal to that number, true or false as well, and compares
// with a number as a number.
//
// The names of headers compare without regard to case. A header or parameter
// that comes several times is an array. The path is one text under the name
// path: {"path": "/v2/orders"}.
//
// A filter is bounded in bytes, depth, conditions and the size of its regular
// expressions, and so is the work that its regular expressions do on one event:
// see MaxRegexSteps.
package match

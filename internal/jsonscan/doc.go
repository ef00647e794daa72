// Package jsonscan checks a JSON document in one pass, without recursion and
// without allocating, and hands out the raw bytes of its top-level members or
// elements as it goes. (It allocates only for an error, and for the name of a
// member whose name is written with an escape.)
//
// Its verdict is that of encoding/json.Valid: RFC 8259, a nesting depth of at
// most 10,000, and no complaint about bytes inside strings that are not UTF-8
// or about escapes of lone surrogates. Nothing is decoded until Unquote is
// asked to, which replaces what is not Unicode by U+FFFD as encoding/json does.
package jsonscan

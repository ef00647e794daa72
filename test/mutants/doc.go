// Package mutants tests the tests: it makes careless changes to the source, one at a
// time, and expects a named test to fail for each. Nothing in the tree is touched: the
// go command is given the changed file as an overlay.
//
//	make mutants
package mutants

//go:build !unix

package app

func descriptorLimit() uint64 { return unlimited }

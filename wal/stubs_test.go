package wal

const holdDirVariable = "X"

func holdDir(string) {}

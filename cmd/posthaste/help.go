package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// helpGroups are the headings of help, in the order in which it shows them.
var helpGroups = []kong.Group{
	{Key: "use", Title: "Send and receive:"},
	{Key: "manage", Title: "Look and change:"},
	{Key: "run", Title: "Run a server:"},
	{Key: "about", Title: "Other:"},
	{Key: "to", Title: "Whom it is for:"},
	{Key: "file", Title: "Many events:"},
	{Key: "verify", Title: "Verifying:"},
	{Key: "answer", Title: "Answering:"},
	{Key: "measure", Title: "What to measure:"},
	{Key: "load", Title: "The load:"},
	{Key: "target", Title: "Another server:"},
	{Key: "report", Title: "The report:"},
	{Key: "create", Title: "Registering with a server:"},
	{Key: "remote", Title: "The server and the output:"},
}

// underCommands is the heading of what stands below a command.
var underCommands = &kong.Group{Key: "commands", Title: "Commands:"}

// shapeHelp makes the example of each command a part of its help, and takes the headings
// of the first level away from the levels below.
func shapeHelp(k *kong.Kong) error {
	return kong.Visit(k.Model, func(v kong.Visitable, next kong.Next) error {
		node, ok := v.(*kong.Node)
		if !ok {
			return next(nil)
		}
		if node.Parent != nil && node.Parent.Parent != nil {
			node.Group = underCommands
		}
		if examples := examplesOf(node); len(examples) > 0 {
			node.Detail = strings.TrimSpace(node.Detail + "\n\nExample:\n\n    " + strings.Join(examples, "\n    "))
		}
		return next(nil)
	})
}

func examplesOf(node *kong.Node) []string {
	if node.Tag == nil {
		return nil
	}
	return append(node.Tag.GetAll("example"), node.Tag.GetAll("another")...)
}

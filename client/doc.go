// Package client speaks posthaste's HTTP API. The command line is made of it, and a
// Go program may be: it needs the standard library only.
//
// A [Client] sends requests. [Client.Project] is what lies within one project, and a
// [Resource] is one kind of object there:
//
//	c, err := client.New(client.Options{BaseURL: "http://127.0.0.1:5005", Key: key})
//	for row, err := range c.Project(id).Deliveries().All(ctx, nil) {
//		...
//	}
//
// An answer other than success is an [Error]. Every object comes as a [Row], decoded
// and as the JSON that the server sent, so that nothing is lost of what this package
// does not know.
package client

// Package receiver verifies what posthaste sends.
package receiver

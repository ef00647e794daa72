package event

import "crypto/sha256"

// The types of operational events: what posthaste tells a project about itself.
const (
	MetaEndpointCreated   = "endpoint.created"
	MetaEndpointUpdated   = "endpoint.updated"
	MetaEndpointDeleted   = "endpoint.deleted"
	MetaEndpointDisabled  = "endpoint.disabled"
	MetaEndpointEnabled   = "endpoint.enabled"
	MetaDeliveryUpdated   = "eventdelivery.updated"
	MetaDeliverySuccess   = "eventdelivery.success"
	MetaDeliveryFailed    = "eventdelivery.failed"
	MetaDeliveryExhausted = "eventdelivery.exhausted"
)

// MetaEventTypes lists the types of operational events.
func MetaEventTypes() []string {
	return []string{
		MetaEndpointCreated, MetaEndpointUpdated, MetaEndpointDeleted, MetaEndpointDisabled, MetaEndpointEnabled,
		MetaDeliveryUpdated, MetaDeliverySuccess, MetaDeliveryFailed, MetaDeliveryExhausted,
	}
}

// MetaProject is the id under which a project's operational events are kept, apart
// from its own events. It carries the project's time; the rest is the first ten bytes
// of SHA-256("meta project" + id).
func MetaProject(project ID) ID { return derived("meta project", project) }

// MetaEndpoint is the id of the endpoint that stands for the URL to which a
// project's operational events go.
func MetaEndpoint(project ID) ID { return derived("meta endpoint", project) }

func derived(what string, id ID) ID {
	sum := sha256.Sum256(append([]byte(what), id[:]...))
	copy(id[6:], sum[:])
	return id
}

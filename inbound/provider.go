package inbound

import (
	"posthaste/event"
	"posthaste/sig"
)

// provider is how somebody well known signs webhooks, and names them.
type provider struct {
	header     string // of the signature
	version    sig.Version
	typeHeader string // has the event's type; "": none has
}

// providers is read only. An unknown provider's entry is empty.
var providers = map[string]provider{
	event.ProviderGitHub: {
		header:     "X-Hub-Signature-256",
		version:    sig.Version{Hash: "SHA256", Encoding: sig.Hex},
		typeHeader: "X-Github-Event",
	},
	event.ProviderShopify: {
		header:     "X-Shopify-Hmac-Sha256",
		version:    sig.Version{Hash: "SHA256", Encoding: sig.Base64},
		typeHeader: "X-Shopify-Topic",
	},
	event.ProviderTwitter: {
		header:  "X-Twitter-Webhooks-Signature",
		version: sig.Version{Hash: "SHA256", Encoding: sig.Base64},
	},
}

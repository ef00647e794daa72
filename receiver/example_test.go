package receiver_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"posthaste/receiver"
	"posthaste/sig"
)

// A server that takes webhooks of one endpoint.
func Example() {
	verifier, err := receiver.New(receiver.Options{
		Convoy: &receiver.Convoy{Secrets: []string{"the endpoint's secret"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /webhooks", func(w http.ResponseWriter, r *http.Request) {
		body, err := verifier.VerifyRequest(r)
		if err != nil {
			http.Error(w, err.Error(), receiver.Status(err))
			return
		}
		fmt.Printf("got %s\n", body)
	})
}

// The same in front of a handler that knows nothing of signatures.
func ExampleVerifier_Middleware() {
	verifier, err := receiver.New(receiver.Options{
		Standard: &receiver.Standard{Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	hook := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("event", r.Header.Get("webhook-id"))
	})
	w := httptest.NewRecorder()
	verifier.Middleware(hook).ServeHTTP(w, httptest.NewRequest("POST", "/webhooks", strings.NewReader("{}")))
	fmt.Print(w.Code, " ", w.Body)
	// Output: 401 Unauthorized: no signature header webhook-signature
}

// While an endpoint is moved from Convoy's signatures to Standard Webhooks, and
// its secret is replaced, all of them are accepted.
func ExampleNew_migration() {
	secret, public := sig.NewStandardKeyPair() // the secret is the endpoint's, the public key the receiver's
	verifier, err := receiver.New(receiver.Options{
		Convoy: &receiver.Convoy{
			Secrets:  []string{"old secret", "new secret"},
			Versions: []receiver.Version{{Hash: "SHA256", Encoding: receiver.Hex}, {Hash: "SHA512", Encoding: receiver.Base64}},
		},
		Standard: &receiver.Standard{Secrets: []string{public}},
	})
	if err != nil {
		log.Fatal(err)
	}
	body, now := []byte(`{"total":12.50}`), time.Now()
	signer, _ := sig.NewStandard([]string{secret})
	header := http.Header{}
	header.Set("webhook-id", "01KB2M3V8W9X")
	header.Set("webhook-timestamp", fmt.Sprint(now.Unix()))
	header.Set("webhook-signature", string(signer.Append(nil, "01KB2M3V8W9X", now, body)))
	fmt.Println(verifier.Verify(header, body))
	fmt.Println(verifier.Verify(header, []byte(`{"total":12.5}`))) // parsed and written again
	// Output:
	// <nil>
	// signature does not match
}

// What to do about a request that is refused.
func ExampleStatus() {
	verifier, _ := receiver.New(receiver.Options{Convoy: &receiver.Convoy{Secrets: []string{"secret"}}})
	header := http.Header{}
	header.Set("X-Convoy-Signature", "t=1,v1=00")
	err := verifier.Verify(header, nil)
	if errors.Is(err, receiver.ErrTimestamp) {
		fmt.Println("somebody replays, or a clock is wrong")
	}
	fmt.Println(receiver.Status(err), err)
	// Output: 401 signature does not match
}

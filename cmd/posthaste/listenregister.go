package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"

	"posthaste/client"
	"posthaste/receiver"
)

// registration is an endpoint that was made for a receiver on this machine.
type registration struct {
	in           client.Scope
	endpoint     client.Endpoint
	subscription string
	project      client.Project
}

// register makes an endpoint and a subscription for a receiver at an address.
func (c *listenCmd) register(s *session, at *net.TCPAddr) (*registration, error) {
	target, err := c.target(at)
	if err != nil {
		return nil, err
	}
	in, err := s.project()
	if err != nil {
		return nil, err
	}
	project, err := s.client.Projects().Get(s.ctx, in.ID())
	if err != nil {
		return nil, err
	}
	body := map[string]any{"name": "listen " + at.String(), "url": target, "description": "made by posthaste listen --create"}
	for name, value := range map[string]string{"owner_id": c.Owner, "signature_mode": c.Signature} {
		if value != "" {
			body[name] = value
		}
	}
	if len(c.Secret) > 0 {
		body["secret"] = c.Secret[0]
	}
	row, err := in.Endpoints().Create(s.ctx, body)
	if err != nil {
		return nil, besideLoopback(err, target)
	}
	r := &registration{in: in, endpoint: row.Value, project: project.Value}
	sub, err := in.Subscriptions().Create(s.ctx, newSubscription(row.Value, c.Type))
	if err != nil {
		r.end(s, false)
		return nil, err
	}
	r.subscription = sub.Value.ID
	return r, s.say("Endpoint %s gets %s.", row.Value.ID, clean(joined(c.Type)))
}

// target is the URL that the server is to call.
func (c *listenCmd) target(at *net.TCPAddr) (string, error) {
	if c.URL != "" {
		return c.URL, nil
	}
	if at.IP.IsUnspecified() {
		return "", usageError{fmt.Errorf("give --url, where the server reaches this receiver: it listens on every address")}
	}
	return "http://" + at.String() + "/", nil
}

// besideLoopback adds what is most likely the cause when an endpoint on this machine is
// refused.
func besideLoopback(err error, target string) error {
	var refused *client.Error
	u, parseErr := url.Parse(target)
	if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || parseErr != nil {
		return err
	}
	ip, parseErr := netip.ParseAddr(u.Hostname())
	if u.Hostname() != "localhost" && (parseErr != nil || !ip.IsLoopback() && !ip.IsPrivate()) {
		return err
	}
	return fmt.Errorf("%w\nA server delivers to such addresses only if it is started with --egress-allow, such as --egress-allow 127.0.0.0/8", err)
}

// trusted is what the endpoint's webhooks are signed with: its secrets, in the project's
// ways, unless the command line says otherwise.
func (r *registration) trusted(given trusted) trusted {
	for _, secret := range r.endpoint.Secrets {
		given.secrets = append(given.secrets, secret.Value)
		if secret.PublicKey != "" {
			given.secrets = append(given.secrets, secret.PublicKey)
		}
	}
	signature := r.project.Config.Signature
	if given.header == "" {
		given.header = signature.Header
	}
	if len(given.versions) == 0 {
		for _, v := range signature.Versions {
			given.versions = append(given.versions, receiver.Version{Hash: v.Hash, Encoding: v.Encoding})
		}
	}
	return given
}

// end deletes what was made, also after a signal.
func (r *registration) end(s *session, keep bool) {
	if keep {
		s.say("Endpoint %s stays. Delete it with: posthaste endpoint delete %s", r.endpoint.ID, r.endpoint.ID)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), cancelTimeout)
	defer cancel()
	if r.subscription != "" {
		if _, err := r.in.Subscriptions().Delete(ctx, r.subscription); err != nil && !gone(err) {
			s.say("Subscription %s was not deleted: %v", r.subscription, err)
		}
	}
	if _, err := r.in.Endpoints().Delete(ctx, r.endpoint.ID); err != nil && !gone(err) {
		s.say("Endpoint %s was not deleted: %v", r.endpoint.ID, err)
		return
	}
	s.say("Endpoint %s is deleted.", r.endpoint.ID)
}

func gone(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && refused.Status == http.StatusNotFound
}

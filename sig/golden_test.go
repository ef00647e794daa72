package sig

import (
	"strings"
	"testing"
	"time"
)

// What a receiver written in another language computes. The values were made
// with Python's hmac module, the simple ones also with "openssl dgst -hmac".
const (
	goldenBody  = `{"id":"evt_1","amount":1.50,"note":"é <&>"}`
	goldenShort = "whsec_9f2c"
	goldenUnix  = 1795278039

	goldenRotation = "t=1795278039," +
		"v1=19a290fbaa20308b8ed1bc95cee63faae7b86e476d035fa4cafc224c293c0655," +
		"v1=7f40a8dba431b8a1d7cd21577a7482b6d1786d333b7500f5be8bd4e8c536f057," +
		"v2=ERJDuKV+3ebugUjOjCAj9fkUpe0Klj1oNZWNChbk5efRLsO2Ff4XWrEH92spI+eV/uTPiit/uc9YFme3KxGOyw==," +
		"v2=tWC3azGQf88XYnJ7XyLMR4izc5tvyXoZnXcIfJ50TwBV8WuF+n6Hc/FK3Nqj3Xgu/LRihA2pEByALKCeOFjtFw=="
)

// goldenLong is longer than the block of every hash (SHA3_224 has the longest,
// 144 bytes): "abc…zabc…", 256 bytes.
var goldenLong = strings.Repeat("abcdefghijklmnopqrstuvwxyz", 10)[:256]

var golden = []struct {
	hash       string
	simpleHex  string // with goldenShort
	advanced64 string // with goldenLong
}{
	{"MD5",
		"589555783de4461cb858480595e283ba",
		"t=1795278039,v1=2NHbkiWbMUMvtM3dVjyaDw=="},
	{"SHA1",
		"d7486c374f0b9593939e82fb19a4d64ec9ce8745",
		"t=1795278039,v1=TIdFw5njnFnAvzIqH/fy+9RvipI="},
	{"SHA224",
		"242a12a6fcbc163adb57dd1e4d6e050898e31a7b29e2bd4eb7c09a5d",
		"t=1795278039,v1=6kpzG72Pw9YSRjxFw+fmGuaVtpF0D8y9Chy72g=="},
	{"SHA256",
		"362cdd437f77743afac10b65668e8576b6cc2dde52e1c64611390310e4a386ba",
		"t=1795278039,v1=f0Co26QxuKHXzSFXenSCttF4bTM7dQD1vovU6MU28Fc="},
	{"SHA384",
		"bfc10419c67e563233c55dcf0f7b4df35501531eaee3f1086c04937b449c6d649a3adec6170e5587ab4f4e7d29f35157",
		"t=1795278039,v1=hdFzoi/XA/FS3eRoIHU2e6T80EwjvZ1XC8jn3w1lzPAuhfGrX41UHvJkJjIEPLvI"},
	{"SHA512",
		"78a3814a160fa32583397dd7f16ae6228fa26f5467bff8b37c3da91295ee10da454b22c3f4960dace0b29214cfd82e353cacbca1595b1b2b2e37138515599f44",
		"t=1795278039,v1=tWC3azGQf88XYnJ7XyLMR4izc5tvyXoZnXcIfJ50TwBV8WuF+n6Hc/FK3Nqj3Xgu/LRihA2pEByALKCeOFjtFw=="},
	{"SHA3_224",
		"135827aa7ced4db3391f46dd7c7c05d68ddd9afb9375b72e7eff66ca",
		"t=1795278039,v1=2nvPRamKoGpGAc8x6ocKhCtwRQ3nPVsALUw//Q=="},
	{"SHA3_256",
		"e0bfda6142be036534cf4d7fbd2a7165624b587b684534b000a86f396cb9e967",
		"t=1795278039,v1=80GTIEZVVxupKP9yRPgU6DnDPILxiO4H/2J/8ejTEhU="},
	{"SHA3_384",
		"4cc6b4967bffdb52cd81e8a71fc49937018537e81e37590a194570f97a8c029369146f1eb87a872978ac037a9fbb9b5e",
		"t=1795278039,v1=4BeUW53yFSMjNXd5BrcoxeHyTg0fgU6z9TfFc8C9fLJv25oL0kALlld+SItNjj2r"},
	{"SHA3_512",
		"eb30e22d09325220bd9855e8bc7c9d8998ffc27e13228e70a83136f4e0889ca73cf00d380c6e1897f880569bc12c9447236d2cb06387bd0eef072c47a24899e4",
		"t=1795278039,v1=vh63/2kJTm919dIC1wk2awP/vCEW/AqDZGsMw74RLM+3wkzMV7tYfhHMUp5etLU4x93pjsy2N74ONKDCPqhIUQ=="},
	{"SHA512_224",
		"953b6f826a3c77e162d42d9106398dd8d2e2b38c57fcd7531cbd0fbe",
		"t=1795278039,v1=bqqp4equR9IzftsIkbjEBdoAlrk3/xZArN1pww=="},
	{"SHA512_256",
		"cda1171460e21f47113e457f5f29a5ff929cffdefe5404972948b71e07a91445",
		"t=1795278039,v1=fC8nQdRVKUdJHvZMwa3DurmESJY1Dt5szyvGnBG0r+U="},
}

func TestGolden(t *testing.T) {
	for i, g := range golden {
		if Hashes()[i] != g.hash {
			t.Fatalf("Hashes()[%d] = %s, want %s", i, Hashes()[i], g.hash)
		}
		checkHeader(t, []Version{{g.hash, Hex}}, []string{goldenShort}, false, g.simpleHex)
		checkHeader(t, []Version{{g.hash, Base64}}, []string{goldenLong}, true, g.advanced64)
	}
	if len(golden) != len(Hashes()) {
		t.Fatalf("%d golden values for %d hashes", len(golden), len(Hashes()))
	}
}

func TestGoldenRotation(t *testing.T) {
	versions := []Version{{"SHA256", Hex}, {"SHA512", Base64}}
	secrets := []string{goldenShort, goldenLong}
	checkHeader(t, versions, secrets, true, goldenRotation)
	// Simple: the last version and the newest secret alone, without a prefix.
	checkHeader(t, versions, []string{goldenLong, goldenShort}, false,
		"eKOBShYPoyWDOX3X8WrmIo+ib1Rnv/izfD2pEpXuENpFSyLD9JYNrOCykhTP2C41PKy8oVlbGysuNxOFFVmfRA==")
}

// TestRFC4231 checks two published vectors: a key shorter than the block (case
// 2) and one longer than it (case 6).
func TestRFC4231(t *testing.T) {
	f := func(hash, secret, data, want string) {
		t.Helper()
		s := mustSigner(t, []Version{{hash, Hex}}, []string{secret}, false)
		if got := string(s.Append(nil, time.Time{}, []byte(data))); got != want {
			t.Errorf("%s: got %s, want %s", hash, got, want)
		}
	}
	const jefe = "what do ya want for nothing?"
	f("SHA256", "Jefe", jefe, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
	f("SHA512", "Jefe", jefe, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737")
	const larger = "Test Using Larger Than Block-Size Key - Hash Key First"
	key := strings.Repeat("\xaa", 131)
	f("SHA256", key, larger, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
	f("SHA512", key, larger, "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598")
}

func checkHeader(t *testing.T, versions []Version, secrets []string, advanced bool, want string) {
	t.Helper()
	s := mustSigner(t, versions, secrets, advanced)
	got := string(s.Append([]byte("kept:"), time.Unix(goldenUnix, 999), []byte(goldenBody)))
	if got != "kept:"+want {
		t.Errorf("%v, advanced %v:\n got %s\nwant kept:%s", versions, advanced, got, want)
	}
}

func mustSigner(t testing.TB, versions []Version, secrets []string, advanced bool) *Signer {
	t.Helper()
	s, err := New(versions, secrets, advanced)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustVerifier(t testing.TB, v Version, secrets []string, tolerance time.Duration) *Verifier {
	t.Helper()
	r, err := NewVerifier(v, secrets, tolerance)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

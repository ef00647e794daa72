package netguard

import "net/netip"

// special lists the address blocks that are not the public internet: the IANA
// IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), multicast, and
// the IPv6 blocks that embed an IPv4 address, which would lead around a check
// of that address.
var special = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),         // "this network", RFC 791
	netip.MustParsePrefix("10.0.0.0/8"),        // private use, RFC 1918
	netip.MustParsePrefix("100.64.0.0/10"),     // shared by carriers, RFC 6598
	netip.MustParsePrefix("127.0.0.0/8"),       // loopback, RFC 1122
	netip.MustParsePrefix("169.254.0.0/16"),    // link-local and metadata, RFC 3927
	netip.MustParsePrefix("172.16.0.0/12"),     // private use, RFC 1918
	netip.MustParsePrefix("192.0.0.0/24"),      // protocol assignments, RFC 6890
	netip.MustParsePrefix("192.0.2.0/24"),      // documentation, RFC 5737
	netip.MustParsePrefix("192.31.196.0/24"),   // AS112, RFC 7535
	netip.MustParsePrefix("192.52.193.0/24"),   // AMT, RFC 7450
	netip.MustParsePrefix("192.88.99.0/24"),    // 6to4 relay, RFC 7526
	netip.MustParsePrefix("192.168.0.0/16"),    // private use, RFC 1918
	netip.MustParsePrefix("192.175.48.0/24"),   // AS112, RFC 7534
	netip.MustParsePrefix("198.18.0.0/15"),     // benchmarks, RFC 2544
	netip.MustParsePrefix("198.51.100.0/24"),   // documentation, RFC 5737
	netip.MustParsePrefix("203.0.113.0/24"),    // documentation, RFC 5737
	netip.MustParsePrefix("224.0.0.0/4"),       // multicast, RFC 1112
	netip.MustParsePrefix("240.0.0.0/4"),       // reserved and broadcast, RFC 1112
	netip.MustParsePrefix("2001::/23"),         // protocol assignments, Teredo, RFC 2928
	netip.MustParsePrefix("2001:db8::/32"),     // documentation, RFC 3849
	netip.MustParsePrefix("2002::/16"),         // 6to4, RFC 3056
	netip.MustParsePrefix("2620:4f:8000::/48"), // AS112, RFC 7534
	netip.MustParsePrefix("3fff::/20"),         // documentation, RFC 9637
}

// globalUnicast is all of IPv6 that IANA has given to the internet (RFC 4291).
// Everything outside is refused: ::1, ::ffff:0:0/96, NAT64, ULA, link-local.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// DefaultDeniedPorts are the ports of services that are not web servers and that
// a forged request could harm: the ports that browsers refuse (WHATWG Fetch,
// "port blocking"), and those of databases, queues and remote administration.
var DefaultDeniedPorts = []uint16{
	1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79,
	87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137,
	139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
	540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723,
	2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669,
	6679, 6697, 10080,
	445, 873, 1433, 1521, 2375, 2376, 2379, 2380, 3306, 3389, 4222, 5432, 5672,
	5900, 5984, 6379, 6380, 9042, 9092, 9200, 9300, 10250, 11211,
	27017, 27018, 27019,
}

package bench

import "strconv"

// What a store is filled with: of seven events five go to one endpoint and two
// to the ten of an owner, and a few go to endpoints that do not take them.
const (
	growthSingles     = 100 // endpoints without an owner
	growthOwners      = 10
	growthPerOwner    = 10
	growthTypes       = 10
	growthPayload     = 256 // bytes of an event's data
	growthRareEvery   = 100_000
	growthOddEvery    = 1000 // of so many events one fails, one waits for a retry, one is discarded, one has a key
	growthVariants    = 64   // different payloads
	growthRareType    = "rare"
	growthOwnerPrefix = "owner-"
	growthKeyPrefix   = "key-"
)

// growthRoute is where an event goes.
type growthRoute int

const (
	toSingle growthRoute = iota
	toOwner
	toFailing // every attempt fails, and there is one more: ends as Failure
	toWaiting // every attempt fails, the next is hours away: stays Retry
	toPaused  // is Discarded
)

// growthPlan says what each event of the filling is. It is arithmetic on the
// event's number.
type growthPlan struct {
	events   int // in all
	singles  int // events to one endpoint that takes them
	fanouts  int // events to the endpoints of an owner
	odd      int // the others
	oddEvery int
}

// planGrowth plans for at least so many deliveries that are stored.
func planGrowth(stored int) growthPlan {
	p := growthPlan{oddEvery: min(max(stored/16, 10), growthOddEvery)}
	for owed := 0; owed < stored; p.events++ {
		switch p.route(p.events) {
		case toOwner:
			p.fanouts++
			owed += growthPerOwner
		case toSingle:
			p.singles++
			owed++
		default:
			p.odd++
			owed++
		}
	}
	return p
}

// delivered is how many deliveries arrive at a receiver that takes them.
func (p *growthPlan) delivered() int { return p.singles + p.fanouts*growthPerOwner }

// stored is how many deliveries there are in all.
func (p *growthPlan) stored() int { return p.delivered() + p.odd }

func (p *growthPlan) route(i int) growthRoute {
	switch i % p.oddEvery {
	case 1:
		return toFailing
	case 2:
		return toWaiting
	case 3:
		return toPaused
	}
	if i%7 < 5 {
		return toSingle
	}
	return toOwner
}

// eventType is that of event i. The one in the middle is rare in small plans too.
func (p *growthPlan) eventType(i int) string {
	if i%growthRareEvery == growthRareEvery/2 || i == p.events/2 {
		return growthRareType
	}
	return "type-" + strconv.Itoa(i%growthTypes)
}

// key is the idempotency key of event i, empty for most.
func (p *growthPlan) key(i int) string {
	if i%p.oddEvery != p.oddEvery/2 {
		return ""
	}
	return growthKeyPrefix + strconv.Itoa(i)
}

// someKey is a key that an event has.
func (p *growthPlan) someKey() string { return growthKeyPrefix + strconv.Itoa(p.oddEvery/2) }

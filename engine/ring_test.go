package engine

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRingIsADeque(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ring[*int]
		var model []*int
		t.Repeat(map[string]func(*rapid.T){
			"pushBack": func(t *rapid.T) {
				v := new(int)
				r.pushBack(v)
				model = append(model, v)
			},
			"pushFront": func(t *rapid.T) {
				v := new(int)
				r.pushFront(v)
				model = slices.Insert(model, 0, v)
			},
			"popFront": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				if got := r.popFront(); got != model[0] {
					t.Fatalf("popFront = %p, want %p", got, model[0])
				}
				model = model[1:]
			},
			"release": func(*rapid.T) { r.release() },
			"": func(t *rapid.T) {
				if r.len() != len(model) {
					t.Fatalf("len = %d, want %d", r.len(), len(model))
				}
				for i, want := range model {
					if *r.at(i) != want {
						t.Fatalf("at(%d) = %p, want %p", i, *r.at(i), want)
					}
				}
				held := 0
				for _, v := range r.buf {
					if v != nil {
						held++
					}
				}
				if held != len(model) {
					t.Fatalf("the buffer keeps %d values alive, want %d", held, len(model))
				}
			},
		})
	})
}

func TestRingGivesItsMemoryBack(t *testing.T) {
	var r ring[int]
	r.pushBack(1)
	if r.release(); r.buf == nil {
		t.Fatal("released with a value in it")
	}
	r.popFront()
	if r.release(); r.buf != nil {
		t.Fatal("not released")
	}
	if r.pushFront(2); r.popFront() != 2 {
		t.Fatal("unusable after release")
	}
}

package transform

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// maxHeaderBytes bounds a header: a function of 1 MiB with every byte escaped.
const maxHeaderBytes = 8 << 20

// limits is the header of the first frame.
type limits struct {
	TimeoutNanos int64 `json:"timeout"`
	MemoryBytes  int64 `json:"memory"`
	BodyBytes    int   `json:"body"` // of a payload or result
}

// request is the header of a call.
type request struct {
	CheckOnly bool   `json:"check,omitempty"` // compile the function, do not run it
	Function  string `json:"function"`
	NowNanos  int64  `json:"now"`
	Seed      uint64 `json:"seed"`
}

// answer is the header of what comes back.
type answer struct {
	Kind    Kind     `json:"kind,omitempty"` // "" for success
	Message string   `json:"message,omitempty"`
	Log     []string `json:"log,omitempty"`
	Last    bool     `json:"last,omitempty"` // the child ends now
}

// err is the failure that the answer tells of, nil if it is a success.
func (a *answer) err() error {
	if a.Kind == "" {
		return nil
	}
	return &Error{Kind: a.Kind, Message: a.Message}
}

// writeFrame writes one frame in one go.
func writeFrame(w io.Writer, header any, body []byte) error {
	h, err := json.Marshal(header)
	if err != nil {
		return err
	}
	frame := make([]byte, 8, 8+len(h)+len(body))
	binary.BigEndian.PutUint32(frame, uint32(len(h)))
	binary.BigEndian.PutUint32(frame[4:], uint32(len(body)))
	frame = append(append(frame, h...), body...)
	_, err = w.Write(frame)
	return err
}

// readFrame reads one frame; io.EOF if there is none any more.
func readFrame(r io.Reader, header any, maxBody int) (body []byte, err error) {
	var sizes [8]byte
	if _, err := io.ReadFull(r, sizes[:]); err != nil {
		return nil, err
	}
	h, b := binary.BigEndian.Uint32(sizes[:]), binary.BigEndian.Uint32(sizes[4:])
	if h > maxHeaderBytes || int64(b) > int64(maxBody) {
		return nil, fmt.Errorf("transform: a frame of %d and %d bytes", h, b)
	}
	frame := make([]byte, int(h)+int(b))
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, unexpected(err)
	}
	if err := json.Unmarshal(frame[:h], header); err != nil {
		return nil, fmt.Errorf("transform: a frame's header: %w", err)
	}
	return frame[h:], nil
}

// unexpected is the error for an end in the middle of a frame.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

package inbound

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/multipart"

	"posthaste/internal/jsonscan"
)

// multiparts makes JSON of a form of the type multipart/form-data (RFC 7578).
func multiparts(body []byte, boundary string) ([]byte, *refusal) {
	var f form
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := parts.NextPart()
		if err == io.EOF { // not errors.Is: a form that was cut off wraps it
			return f.object(), nil
		}
		if err != nil {
			return nil, malformed("invalid multipart/form-data: %v", err)
		}
		if no := f.addPart(part); no != nil {
			return nil, no
		}
	}
}

func (f *form) addPart(part *multipart.Part) *refusal {
	name := part.FormName()
	if name == "" {
		return malformed("invalid multipart/form-data: a part has no name")
	}
	text, err := io.ReadAll(part)
	if err != nil {
		return malformed("invalid multipart/form-data: %v", err)
	}
	if part.FileName() == "" {
		return f.add(name, jsonscan.Quote(nil, string(text)))
	}
	return f.add(name, fileObject(part.FileName(), part.Header.Get("Content-Type"), text))
}

// fileObject is a file as JSON.
func fileObject(name, kind string, content []byte) []byte {
	if kind == "" {
		kind = "application/octet-stream"
	}
	dst := append([]byte(nil), `{"content_type":`...)
	dst = jsonscan.Quote(dst, kind)
	dst = append(dst, `,"data":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, content)
	dst = append(dst, `","filename":`...)
	dst = jsonscan.Quote(dst, name)
	return append(dst, '}')
}

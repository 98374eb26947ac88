// An edge that speaks QUIC as far as a connector needs it to be registered: nothing is ever asked through it.
//
// It is built inside a checkout of cloudflared, whose own packages it takes for the protocol:
//
//	cp main.go CHECKOUT/cmd/quicedge/ && cd CHECKOUT && go build -mod=vendor -o quicedge ./cmd/quicedge
//
// and named by INFERAGENT_QUIC_EDGE for `python -m tests.real.bars --only quic`.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"log"
	"math/big"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/quic-go/quic-go"

	"github.com/cloudflare/cloudflared/tunnelrpc"
	"github.com/cloudflare/cloudflared/tunnelrpc/pogs"
)

// registrar says yes to every connector; closing < 0 leaves the connection open after it has unregistered.
type registrar struct {
	link    *quic.Conn
	closing time.Duration
}

func (r registrar) RegisterConnection(
	context.Context, pogs.TunnelAuth, uuid.UUID, byte, *pogs.ConnectionOptions,
) (*pogs.ConnectionDetails, error) {
	return &pogs.ConnectionDetails{UUID: uuid.New(), Location: "lab", TunnelIsRemotelyManaged: true}, nil
}

func (r registrar) UnregisterConnection(context.Context) {
	log.Print("unregistered")
	if r.closing >= 0 {
		time.AfterFunc(r.closing, func() { _ = r.link.CloseWithError(0, "") })
	}
}

func (r registrar) UpdateLocalConfiguration(context.Context, []byte) error { return nil }

// certificate makes one that signs itself and writes it to the file, for --cacert.
func certificate(file string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "lab edge"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		DNSNames:              []string{"quic.cftunnel.com"},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	made, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		log.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		log.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{made}, PrivateKey: key}
}

func serve(link *quic.Conn, closing time.Duration) {
	control, err := link.AcceptStream(context.Background())
	if err != nil {
		log.Printf("no control stream: %v", err)
		return
	}
	server := tunnelrpc.NewRegistrationServer(registrar{link, closing})
	if err := server.Serve(link.Context(), control); err != nil {
		log.Printf("control stream: %v", err)
	}
}

func main() {
	address := flag.String("address", "127.0.0.1:0", "UDP, loopback")
	file := flag.String("ca", "ca.pem", "where the certificate is written")
	closing := flag.Duration("close", -1, "close a connection so long after it unregistered; negative: never")
	flag.Parse()
	security := &tls.Config{
		Certificates: []tls.Certificate{certificate(*file)},
		NextProtos:   []string{"argotunnel"},
		MinVersion:   tls.VersionTLS13,
	}
	listener, err := quic.ListenAddr(*address, security, &quic.Config{EnableDatagrams: true})
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listens on %s", listener.Addr())
	for {
		link, err := listener.Accept(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		go serve(link, *closing)
	}
}

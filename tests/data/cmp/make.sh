#!/bin/sh
# Makes the PKIMessages of this directory anew with the openssl command (3.0 or later) and its mock server; the keys are thrown away.
# Each name says the exchange, the number within it, and the body: ir_1_ir.der is answered by ir_1_ip.der.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 20000 -subj "/O=Estuary/CN=Mock CA" \
    -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature 2> /dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out new.key
openssl req -new -key new.key -subj "/O=Estuary/CN=device" -out new.csr
openssl x509 -req -in new.csr -CA ca.crt -CAkey ca.key -days 20000 -out new.crt 2> /dev/null
printf '01\n' > crlnumber
: > index.txt
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=9000\n' > ca.cnf
openssl ca -config ca.cnf -gencrl -keyfile ca.key -cert ca.crt -out ca.crl 2> /dev/null

# name, names of the requests, names of the answers, options
exchange() {
    name=$1 requests=$2 answers=$3
    shift 3
    openssl cmp -config /dev/null -use_mock_srv -srv_cert ca.crt -srv_key ca.key -srv_trusted ca.crt -trusted ca.crt \
        -recipient "/O=Estuary/CN=Mock CA" -rsp_cert new.crt "$@" -reqout "$requests" -rspout "$answers" > "$name.log" 2>&1 ||
        [ "${FAILS:-}" ] || { cat "$name.log" >&2; exit 1; }
    for file in $(echo "$requests,$answers" | tr ',' ' '); do
        mv "$file" "$here/${name}_$file"
    done
}
mac="-ref 3078 -secret pass:insta -srv_ref 3078 -srv_secret pass:insta"
mac="$mac -mac hmacWithSHA256"
new="-newkey new.key -subject /O=Estuary/CN=device"

exchange ir 1_ir.der,2_certConf.der 1_ip.der,2_pkiconf.der -cmd ir $mac $new -certout out.crt -rsp_capubs ca.crt -rsp_extracerts ca.crt
exchange implicit 1_ir.der 1_ip.der -cmd ir $mac $new -certout out.crt -implicit_confirm -grant_implicitconf \
    -geninfo 1.2.3.4:int:987
exchange cr 1_cr.der,2_certConf.der 1_cp.der,2_pkiconf.der -cmd cr -cert new.crt -key new.key $new -certout out.crt \
    -sans "device.example 192.0.2.1" -days 30 -extracerts ca.crt
exchange kur 1_kur.der,2_certConf.der 1_kup.der,2_pkiconf.der -cmd kur -cert new.crt -key new.key -newkey new.key -certout out.crt
exchange p10cr 1_p10cr.der,2_certConf.der 1_cp.der,2_pkiconf.der -cmd p10cr $mac -csr new.csr -newkey new.key -certout out.crt
exchange rr 1_rr.der 1_rp.der -cmd rr -cert new.crt -key new.key -oldcert new.crt -revreason 1
exchange genm 1_genm.der 1_genp.der -cmd genm $mac -infotype signKeyPairTypes
exchange poll 1_ir.der,2_pollReq.der,3_pollReq.der,4_certConf.der 1_ip.der,2_pollRep.der,3_ip.der,4_pkiconf.der -cmd ir $mac $new \
    -certout out.crt -poll_count 2 -check_after 1
FAILS=yes
exchange refused 1_ir.der 1_ip.der -cmd ir $mac $new -certout out.crt -pkistatus 2 -failurebits 67108863
exchange error 1_ir.der 1_error.der -cmd ir $mac $new -certout out.crt -send_error -pkistatus 2 -failure 26
exchange unprotected 1_ir.der 1_ip.der -cmd ir -unprotected_requests -accept_unprotected -send_unprotected $new -certout out.crt
exchange utf8 1_ir.der 1_error.der -cmd ir $mac -newkey new.key -subject "/O=Ästuar %s%n/CN=%n%x" -certout out.crt -send_error
cp "$work/ca.crt" "$here/ca.pem"
cp "$work/new.crt" "$here/device.pem"
openssl crl -in ca.crl -outform DER -out "$here/ca.crl"

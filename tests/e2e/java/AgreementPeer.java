// Possession by key agreement, made with Bouncy Castle: the independent peer of what CMP and PKCS #10 have for keys that do not sign.
//   AgreementPeer ask CERT REFERENCE SECRET SUBJECT OUT   an ir with agreeMAC (DHBasedMac) for the holder of CERT, protected by the secret
//   AgreementPeer request CERT SUBJECT OUT                a PKCS #10 with static ECDH (RFC 6955) in place of its signature
//   AgreementPeer read FILE SECRET OUT                    the certificate of an answer, whose MAC must be right
// Keys go to OUT.key (PKCS #8) and OUT.pub (SubjectPublicKeyInfo), what is sent to OUT; all of it DER.
import java.io.FileInputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.util.Date;
import javax.crypto.KeyAgreement;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cmp.CMPCertificate;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.CertRepMessage;
import org.bouncycastle.asn1.cmp.CertResponse;
import org.bouncycastle.asn1.cmp.DHBMParameter;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.cmp.PBMParameter;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cms.IssuerAndSerialNumber;
import org.bouncycastle.asn1.crmf.CertReqMessages;
import org.bouncycastle.asn1.crmf.DhSigStatic;
import org.bouncycastle.asn1.crmf.PKMACValue;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.cmp.GeneralPKIMessage;
import org.bouncycastle.cert.cmp.ProtectedPKIMessage;
import org.bouncycastle.cert.cmp.ProtectedPKIMessageBuilder;
import org.bouncycastle.cert.crmf.CertificateRequestMessageBuilder;
import org.bouncycastle.cert.crmf.PKMACBuilder;
import org.bouncycastle.cert.crmf.jcajce.JcePKMACValuesCalculator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public class AgreementPeer {
    static final AlgorithmIdentifier SHA256 = new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256);
    static final AlgorithmIdentifier HMAC_SHA256 = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_hmacWithSHA256, DERNull.INSTANCE);
    static final ASN1ObjectIdentifier DH_BASED_MAC = new ASN1ObjectIdentifier("1.2.840.113533.7.66.30");
    static final ASN1ObjectIdentifier STATIC_ECDH_SHA256 = new ASN1ObjectIdentifier("1.3.6.1.5.5.7.6.26");
    static final SecureRandom RANDOM = new SecureRandom();

    static X509Certificate certificate(String path) throws Exception {
        try (FileInputStream in = new FileInputStream(path)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(in);
        }
    }

    /** A key of the same curve as that of the certificate. */
    static KeyPair keyFor(X509Certificate recipient) throws Exception {
        PublicKey other = recipient.getPublicKey();
        KeyPairGenerator generator;
        if (other instanceof ECPublicKey) {
            generator = KeyPairGenerator.getInstance("EC", "BC");
            generator.initialize(((ECPublicKey) other).getParams());
        } else {
            generator = KeyPairGenerator.getInstance(other.getAlgorithm(), "BC");
        }
        return generator.generateKeyPair();
    }

    static byte[] agreed(PrivateKey own, X509Certificate recipient) throws Exception {
        PublicKey other = recipient.getPublicKey();
        KeyAgreement agreement = KeyAgreement.getInstance(other instanceof ECPublicKey ? "ECDH" : other.getAlgorithm(), "BC");
        agreement.init(own);
        agreement.doPhase(other, true);
        return agreement.generateSecret();
    }

    static byte[] hmac(byte[] key, byte[] text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text);
    }

    static byte[] random(int octets) {
        byte[] made = new byte[octets];
        RANDOM.nextBytes(made);
        return made;
    }

    static void ask(String certificatePath, String reference, String secret, String subject, String out) throws Exception {
        X509Certificate recipient = certificate(certificatePath);
        KeyPair pair = keyFor(recipient);
        CertificateRequestMessageBuilder builder = new CertificateRequestMessageBuilder(BigInteger.ZERO);
        builder.setSubject(new X500Name(subject));
        builder.setPublicKey(SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()));
        byte[] request = builder.build().toASN1Structure().getCertReq().getEncoded("DER");
        byte[] key = MessageDigest.getInstance("SHA-256").digest(agreed(pair.getPrivate(), recipient));
        builder.setProofOfPossessionAgreeMAC(new PKMACValue(new AlgorithmIdentifier(DH_BASED_MAC, new DHBMParameter(SHA256, HMAC_SHA256)),
                                                            new DERBitString(hmac(key, request))));
        CertReqMessages content = new CertReqMessages(builder.build().toASN1Structure());
        ProtectedPKIMessage message = new ProtectedPKIMessageBuilder(3, new GeneralName(new X500Name("CN=" + reference)), new GeneralName(new X500Name("CN=any")))
            .setTransactionID(random(16)).setSenderNonce(random(16)).setSenderKID(reference.getBytes("UTF-8")).setMessageTime(new Date())
            .addGeneralInfo(new InfoTypeAndValue(CMPObjectIdentifiers.it_implicitConfirm, DERNull.INSTANCE))
            .setBody(new PKIBody(PKIBody.TYPE_INIT_REQ, content))
            .build(new PKMACBuilder(new JcePKMACValuesCalculator().setProvider("BC"))
                .setParameters(new PBMParameter(random(16), SHA256, 10000, HMAC_SHA256)).build(secret.toCharArray()));
        Files.write(Path.of(out), message.toASN1Structure().getEncoded("DER"));
        Files.write(Path.of(out + ".key"), pair.getPrivate().getEncoded());
        Files.write(Path.of(out + ".pub"), pair.getPublic().getEncoded());
    }

    static void request(String certificatePath, String subject, String out) throws Exception {
        X509Certificate recipient = certificate(certificatePath);
        KeyPair pair = keyFor(recipient);
        CertificationRequestInfo info = new CertificationRequestInfo(new X500Name(subject), SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()), new DERSet());
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(recipient.getSubjectX500Principal().getEncoded());
        digest.update(agreed(pair.getPrivate(), recipient));
        digest.update(recipient.getIssuerX500Principal().getEncoded());
        byte[] mac = hmac(digest.digest(), info.getEncoded("DER"));
        IssuerAndSerialNumber name = new IssuerAndSerialNumber(X500Name.getInstance(recipient.getIssuerX500Principal().getEncoded()), recipient.getSerialNumber());
        ASN1EncodableVector fields = new ASN1EncodableVector();
        fields.add(info);
        fields.add(new AlgorithmIdentifier(STATIC_ECDH_SHA256));
        fields.add(new DERBitString(new DhSigStatic(name, mac).getEncoded("DER")));
        Files.write(Path.of(out), new DERSequence(fields).getEncoded("DER"));
        Files.write(Path.of(out + ".key"), pair.getPrivate().getEncoded());
        Files.write(Path.of(out + ".pub"), pair.getPublic().getEncoded());
    }

    static void read(String file, String secret, String out) throws Exception {
        GeneralPKIMessage general = new GeneralPKIMessage(Files.readAllBytes(Path.of(file)));
        ProtectedPKIMessage answer = new ProtectedPKIMessage(general);
        boolean right = answer.verify(new PKMACBuilder(new JcePKMACValuesCalculator().setProvider("BC")), secret.toCharArray());
        System.out.println("mac " + right + " type " + answer.getBody().getType());
        if (!right || answer.getBody().getType() != PKIBody.TYPE_INIT_REP) return;
        CertResponse response = CertRepMessage.getInstance(answer.getBody().getContent()).getResponse()[0];
        System.out.println("status " + response.getStatus().getStatus() + (response.getStatus().getStatusString() == null ? "" : " " + response.getStatus().getStatusString().getStringAtUTF8(0).getString()));
        if (response.getCertifiedKeyPair() == null) return;
        CMPCertificate certificate = response.getCertifiedKeyPair().getCertOrEncCert().getCertificate();
        Files.write(Path.of(out), certificate.getEncoded("DER"));
    }

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        switch (args[0]) {
            case "ask": ask(args[1], args[2], args[3], args[4], args[5]); break;
            case "request": request(args[1], args[2], args[3]); break;
            case "read": read(args[1], args[2], args[3]); break;
            default: throw new IllegalArgumentException(args[0]);
        }
    }
}

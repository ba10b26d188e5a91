// CMC by Bouncy Castle, the independent peer of the tests: makes full PKI requests, and reads what is answered.
//   CmcPeer enroll NAME SECRET SUBJECT OUT     requests by shared secret, PKCS #10 and CRMF; the first key goes to OUT.key (PKCS #8, DER)
//   CmcPeer renew CERT KEY SUBJECT OUT         a request signed with a certificate (DER files); CRMF
//   CmcPeer revoke CERT KEY OUT                revokes that very certificate
//   CmcPeer read FILE                          what an answer says, one line each
import java.io.FileOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.cmc.BodyPartID;
import org.bouncycastle.asn1.cmc.CMCObjectIdentifiers;
import org.bouncycastle.asn1.cmc.CMCStatusInfoV2;
import org.bouncycastle.asn1.cmc.CertificationRequest;
import org.bouncycastle.asn1.cmc.IdentityProofV2;
import org.bouncycastle.asn1.cmc.OtherMsg;
import org.bouncycastle.asn1.cmc.PKIData;
import org.bouncycastle.asn1.cmc.PKIResponse;
import org.bouncycastle.asn1.cmc.PopLinkWitnessV2;
import org.bouncycastle.asn1.cmc.RevokeRequest;
import org.bouncycastle.asn1.cmc.TaggedAttribute;
import org.bouncycastle.asn1.cmc.TaggedCertificationRequest;
import org.bouncycastle.asn1.cmc.TaggedContentInfo;
import org.bouncycastle.asn1.cmc.TaggedRequest;
import org.bouncycastle.asn1.crmf.CertReqMsg;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.crmf.CertificateRequestMessageBuilder;
import org.bouncycastle.cert.crmf.Control;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.SignerInfoGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.bouncycastle.util.encoders.Hex;

public class CmcPeer {
    static final AlgorithmIdentifier SHA256 = new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256);
    static final AlgorithmIdentifier HMAC_SHA256 = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_hmacWithSHA256);
    static final ASN1ObjectIdentifier PKI_DATA = new ASN1ObjectIdentifier("1.3.6.1.5.5.7.12.2");  // id-cct-PKIData
    static final SecureRandom RANDOM = new SecureRandom();

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        switch (args[0]) {
            case "enroll": enroll(args[1], args[2], args[3], args[4]); break;
            case "renew": renew(args[1], args[2], args[3], args[4]); break;
            case "revoke": revoke(args[1], args[2], args[3]); break;
            case "read": read(args[1]); break;
            default: throw new IllegalArgumentException(args[0]);
        }
    }

    static KeyPair newKey() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
        generator.initialize(new ECGenParameterSpec("P-256"), RANDOM);
        return generator.generateKeyPair();
    }

    static byte[] hmac(byte[] key, byte[] data) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(data);
    }

    static byte[] sha256(byte[] data) throws Exception { return MessageDigest.getInstance("SHA-256").digest(data); }

    static TaggedAttribute control(int id, ASN1ObjectIdentifier type, ASN1Encodable value) {
        return new TaggedAttribute(new BodyPartID(id), type, new DERSet(value));
    }

    static byte[] random(int octets) {
        byte[] out = new byte[octets];
        RANDOM.nextBytes(out);
        return out;
    }

    static PKIData pkiData(List<TaggedAttribute> controls, TaggedRequest... requests) {
        return new PKIData(controls.toArray(new TaggedAttribute[0]), requests, new TaggedContentInfo[0], new OtherMsg[0]);
    }

    /// RFC 10002 3.2: the request's own key signs, named by its subjectKeyIdentifier.
    static void enroll(String name, String secret, String subject, String out) throws Exception {
        KeyPair key = newKey();
        byte[] identifier = random(20);
        byte[] link = random(64);
        PKCS10CertificationRequestBuilder builder = new PKCS10CertificationRequestBuilder(
            new X500Name(subject), SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
        ExtensionsGenerator extensions = new ExtensionsGenerator();
        extensions.addExtension(Extension.subjectKeyIdentifier, false, new SubjectKeyIdentifier(identifier));
        builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate());
        byte[] bare = secret.getBytes(StandardCharsets.UTF_8);
        builder.addAttribute(CMCObjectIdentifiers.id_cmc_popLinkWitnessV2, link(bare, link));
        ContentSigner signer = new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(key.getPrivate());
        TaggedRequest request = new TaggedRequest(new TaggedCertificationRequest(
            new BodyPartID(201), CertificationRequest.getInstance(builder.build(signer).getEncoded())));
        TaggedRequest second = crmf(202, newKey(), subject, link(bare, link));
        byte[] requests = new DERSequence(new ASN1Encodable[] {request, second}).getEncoded("DER");
        byte[] named = (secret + name).getBytes(StandardCharsets.UTF_8);
        List<TaggedAttribute> controls = new ArrayList<>();
        controls.add(control(101, CMCObjectIdentifiers.id_cmc_transactionId, new ASN1Integer(new BigInteger("10132985123483401"))));
        controls.add(control(102, CMCObjectIdentifiers.id_cmc_identification, new DERUTF8String(name)));
        controls.add(control(103, CMCObjectIdentifiers.id_cmc_identityProofV2, new IdentityProofV2(SHA256, HMAC_SHA256, hmac(sha256(named), requests))));
        controls.add(control(104, CMCObjectIdentifiers.id_cmc_popLinkRandom, new DEROctetString(link)));
        controls.add(control(105, CMCObjectIdentifiers.id_cmc_senderNonce, new DEROctetString(Hex.decode("2711"))));
        controls.add(control(106, CMCObjectIdentifiers.id_cmc_dataReturn, new DEROctetString(Hex.decode("c0ffee"))));
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        SignerInfoGenerator info = new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
            .build(signer, identifier);
        generator.addSignerInfoGenerator(info);
        write(out, sign(generator, pkiData(controls, request, second)));
        write(out + ".key", key.getPrivate().getEncoded());
    }

    /// RFC 10002 6.3.1.1: the MAC over the random value, keyed by the digest of the secret.
    static PopLinkWitnessV2 link(byte[] secret, byte[] random) throws Exception {
        return new PopLinkWitnessV2(SHA256, HMAC_SHA256, hmac(sha256(secret), random));
    }

    /// A request in CRMF, signed with its own key; `link` is a control of it where there is one.
    static TaggedRequest crmf(int id, KeyPair key, String subject, PopLinkWitnessV2 link) throws Exception {
        ContentSigner signer = new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(key.getPrivate());
        CertificateRequestMessageBuilder builder = new CertificateRequestMessageBuilder(BigInteger.valueOf(id));
        builder.setSubject(new X500Name(subject)).setPublicKey(SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()))
            .setProofOfPossessionSigningKeySigner(signer);
        if (link != null) {
            builder.addControl(new Control() {
                public ASN1ObjectIdentifier getType() { return CMCObjectIdentifiers.id_cmc_popLinkWitnessV2; }
                public ASN1Encodable getValue() { return link; }
            });
        }
        return new TaggedRequest(CertReqMsg.getInstance(builder.build().getEncoded()));
    }

    static X509CertificateHolder certificate(String file) throws Exception { return new X509CertificateHolder(Files.readAllBytes(Path.of(file))); }

    static CMSSignedDataGenerator signedBy(String certificateFile, String keyFile) throws Exception {
        PrivateKey key = KeyFactory.getInstance("EC", "BC").generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(keyFile))));
        ContentSigner signer = new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(key);
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
            .build(signer, certificate(certificateFile)));
        generator.addCertificate(certificate(certificateFile));
        return generator;
    }

    /// RFC 10002 6.3.3: the certificate that there is signs for the next one, in CRMF.
    static void renew(String certificateFile, String keyFile, String subject, String out) throws Exception {
        KeyPair key = newKey();
        TaggedRequest request = crmf(7, key, subject, null);
        List<TaggedAttribute> controls = new ArrayList<>();
        controls.add(control(101, CMCObjectIdentifiers.id_cmc_senderNonce, new DEROctetString(Hex.decode("2712"))));
        write(out, sign(signedBy(certificateFile, keyFile), pkiData(controls, request)));
        write(out + ".key", key.getPrivate().getEncoded());
    }

    static void revoke(String certificateFile, String keyFile, String out) throws Exception {
        X509CertificateHolder certificate = certificate(certificateFile);
        List<TaggedAttribute> controls = new ArrayList<>();
        controls.add(control(5, CMCObjectIdentifiers.id_cmc_revokeRequest,
            new RevokeRequest(certificate.getIssuer(), new ASN1Integer(certificate.getSerialNumber()), CRLReason.lookup(CRLReason.superseded),
                null, null, new DERUTF8String("replaced"))));
        write(out, sign(signedBy(certificateFile, keyFile), pkiData(controls)));
    }

    static byte[] sign(CMSSignedDataGenerator generator, PKIData data) throws Exception {
        return generator.generate(new CMSProcessableByteArray(PKI_DATA, data.getEncoded("DER")), true).getEncoded();
    }

    static void write(String file, byte[] octets) throws Exception {
        try (FileOutputStream stream = new FileOutputStream(file)) {
            stream.write(octets);
        }
    }

    /// Signatures are verified by the certificates that came along; whether those are to be trusted is the test's question.
    static void read(String file) throws Exception {
        CMSSignedData data = new CMSSignedData(Files.readAllBytes(Path.of(file)));
        for (Object one : data.getCertificates().getMatches(null)) {
            X509CertificateHolder certificate = (X509CertificateHolder) one;
            System.out.println("certificate " + certificate.getSubject() + " " + Hex.toHexString(sha256(certificate.getSubjectPublicKeyInfo().getEncoded())));
        }
        if (data.getSignedContent() == null) {
            System.out.println("simple");
            return;
        }
        for (SignerInformation signer : data.getSignerInfos().getSigners()) {
            X509CertificateHolder certificate = (X509CertificateHolder) data.getCertificates().getMatches(signer.getSID()).iterator().next();
            System.out.println("signer " + certificate.getSubject() + " "
                + signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(certificate)));
        }
        System.out.println("full " + data.getSignedContentTypeOID().equals("1.3.6.1.5.5.7.12.3"));
        PKIResponse response = PKIResponse.getInstance(data.getSignedContent().getContent());
        for (ASN1Encodable element : response.getControlSequence()) {
            TaggedAttribute attribute = TaggedAttribute.getInstance(element);
            ASN1ObjectIdentifier type = attribute.getAttrType();
            ASN1Encodable value = attribute.getAttrValues().getObjectAt(0);
            if (type.equals(CMCObjectIdentifiers.id_cmc_statusInfoV2)) {
                CMCStatusInfoV2 status = CMCStatusInfoV2.getInstance(value);
                StringBuilder line = new StringBuilder("status " + ASN1Integer.getInstance(status.getcMCStatus().toASN1Primitive()).getValue());
                for (BodyPartID id : status.getBodyList()) line.append(" ").append(id.getID());
                if (status.hasOtherInfo()) line.append(" info ").append(status.getOtherStatusInfo().toASN1Primitive());
                System.out.println(line);
            } else if (value instanceof ASN1OctetString) {
                System.out.println(type.getId() + " " + Hex.toHexString(((ASN1OctetString) value).getOctets()));
            } else {
                System.out.println(type.getId() + " " + value);
            }
        }
    }
}

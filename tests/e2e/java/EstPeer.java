// Bouncy Castle's EST client: asks an EST server for a key with its certificate (RFC 7030 4.4), and writes both as they came.
// Its own reader of multipart/mixed, of PrivateKeyInfo and of certs-only is what is wanted here.
//   java EstPeer HOST:PORT ROOT.pem USER PASSWORD SUBJECT OUT    writes OUT.key (PKCS#8) and OUT.pem

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FileWriter;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;

import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;

public class EstPeer {
    static X509Certificate certificate(String path) throws Exception {
        try (FileInputStream in = new FileInputStream(path)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        ESTService est = new JsseESTServiceBuilder(args[0], JcaJceUtils.getCertPathTrustManager(
            Collections.singleton(new TrustAnchor(certificate(args[1]), null)), null)).withTimeout(30000).build();
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
        generator.initialize(new ECGenParameterSpec("P-256"));
        KeyPair wish = generator.generateKeyPair();
        ContentSigner signer = new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(wish.getPrivate());
        // At once: its own HttpAuth waits for a 401, and then fails on a 401 that has a text (1.72).
        String basic = "Basic " + Base64.getEncoder().encodeToString((args[2] + ":" + args[3]).getBytes(StandardCharsets.UTF_8));
        EnrollmentResponse response = est.simpleEnrollWithServersideCreation(
            new PKCS10CertificationRequestBuilder(new X500Name(args[4]), SubjectPublicKeyInfo.getInstance(wish.getPublic().getEncoded())).build(signer),
            to -> to.addHeader("Authorization", basic));
        PrivateKeyInfo key = response.getPrivateKeyInfo();
        Collection<X509CertificateHolder> certificates = response.getStore().getMatches(null);
        if (key == null || certificates.size() != 1) throw new IllegalStateException("no key, or not one certificate: " + certificates.size());
        try (FileOutputStream out = new FileOutputStream(args[5] + ".key")) {
            out.write(key.getEncoded());
        }
        try (JcaPEMWriter out = new JcaPEMWriter(new FileWriter(args[5] + ".pem"))) {
            out.writeObject(certificates.iterator().next());
        }
    }
}

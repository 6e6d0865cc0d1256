import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/**
 * How documents and index keys lie in the file. H2 would use Java's serialization, and compare keys by serializing
 * both: most of the time of a write.
 */
class Bson {
  static class Documents extends BasicDataType<Document> {
    /** A guess for H2's cache and page size, which follows what was written. */
    private volatile int averageBytes = 512;

    @Override
    public int getMemory(Document document) {
      return averageBytes;
    }

    @Override
    public void write(WriteBuffer out, Document document) {
      averageBytes = (averageBytes * 15 + encode(out, document)) / 16;
    }

    @Override
    public Document read(ByteBuffer in) {
      return decode(in);
    }

    @Override
    public Document[] createStorage(int size) {
      return new Document[size];
    }
  }

  static class Keys extends BasicDataType<KeyValue> {
    private static final int GUESSED_BYTES = 64;

    @Override
    public int compare(KeyValue left, KeyValue right) {
      for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
        int order = inOrder(left.get(i), right.get(i));
        if (order != 0) return order;
      }
      return Integer.compare(left.size(), right.size());
    }

    /** Of two texts it is the same order, without asking each time what they are: a fourth of all time. */
    private static int inOrder(Object left, Object right) {
      return left instanceof String text && right instanceof String other
          ? text.compareTo(other)
          : ValueComparator.asc().compare(left, right);
    }

    @Override
    public int getMemory(KeyValue key) {
      return GUESSED_BYTES;
    }

    /** A field that the document has not is left out: BSON has no word for it. */
    @Override
    public void write(WriteBuffer out, KeyValue key) {
      var document = new Document("size", key.size());
      for (int i = 0; i < key.size(); i++) {
        if (!(key.get(i) instanceof Missing)) document.put(String.valueOf(i), key.get(i));
      }
      encode(out, document);
    }

    @Override
    public KeyValue read(ByteBuffer in) {
      var document = decode(in);
      var values = new ArrayList<Object>();
      for (int i = 0; i < (Integer) document.get("size"); i++) {
        values.add(document.getOrDefault(String.valueOf(i), Missing.getInstance()));
      }
      return new KeyValue(values);
    }

    @Override
    public KeyValue[] createStorage(int size) {
      return new KeyValue[size];
    }
  }

  private static int encode(WriteBuffer out, Document document) {
    var bytes = Unpooled.buffer();
    BsonEncoder.encodeDocument(document, bytes);
    out.put(bytes.nioBuffer());
    return bytes.writerIndex();
  }

  private static Document decode(ByteBuffer in) {
    var bytes = Unpooled.wrappedBuffer(in);
    var document = BsonDecoder.decodeBson(bytes);
    in.position(in.position() + bytes.readerIndex());
    return document;
  }
}

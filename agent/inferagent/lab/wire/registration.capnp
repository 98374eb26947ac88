# What a connector calls on the edge over its control stream. On the wire count the interface's id, the numbers
# and the types; the names are ours.
@0xd4f0a1c59be27763;

struct Program {
  id @0 :Data;
  features @1 :List(Text);
  version @2 :Text;
  platform @3 :Text;
}

struct About {
  program @0 :Program;
  localAddress @1 :Data;
  replace @2 :Bool;
  compression @3 :UInt8;
  tries @4 :UInt8;
}

struct Proof {
  account @0 :Text;
  secret @1 :Data;
}

struct Refusal {
  why @0 :Text;
  after @1 :Int64;  # nanoseconds
  again @2 :Bool;
}

struct Welcome {
  connection @0 :Data;
  place @1 :Text;
  managed @2 :Bool;
}

struct Answer {
  word :union {
    no @0 :Refusal;
    yes @1 :Welcome;
  }
}

interface Registry @0xf71695ec7fe85497 {
  enter @0 (proof :Proof, tunnel :Data, slot :UInt8, about :About) -> (answer :Answer);
  leave @1 () -> ();
  describe @2 (config :Data) -> ();
}

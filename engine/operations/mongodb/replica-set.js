// Makes three servers a replica set, and the user that Comanda logs in as. It may be run again.
//
//   mongosh --nodb --file replica-set.js
//
// MEMBERS has the servers with commas between; the passwords are in the secret files.

const { readFileSync } = require("fs");
const secret = (name) => readFileSync(`/run/secrets/${name}`, "utf8").trim();
const members = process.env.MEMBERS.split(",");
const database = process.env.DATABASE;
const login = `root:${encodeURIComponent(secret("mongodb_root_password"))}@`;
const options = "authSource=admin&serverSelectionTimeoutMS=30000";

const first = new Mongo(`mongodb://${login}${members[0]}/?directConnection=true&${options}`);
const admin = first.getDB("admin");
try {
  admin.runCommand({ replSetGetStatus: 1 });
  print("replica set: it is there");
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  const hosts = members.map((host, place) => ({ _id: place, host }));
  admin.runCommand({ replSetInitiate: { _id: "comanda", members: hosts } });
  print(`replica set: made of ${members.join(", ")}`);
}

// It waits for a primary, whichever it is.
const set = new Mongo(`mongodb://${login}${members.join(",")}/?replicaSet=comanda&${options}`);
const shop = set.getDB(database);
// Indexes, transactions and change streams of one database: nothing more is needed.
const roles = [{ role: "readWrite", db: database }];
const user = { pwd: secret("mongodb_password"), roles };
const known = shop.runCommand({ usersInfo: "comanda" }).users.length > 0;
shop.runCommand(known ? { updateUser: "comanda", ...user } : { createUser: "comanda", ...user });
print(`user: comanda may read and write '${database}'`);
